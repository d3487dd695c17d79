internal import DRModel

struct Capacity: Check {
    static let id = "capacity"
    static let summary = "The destination has room for the volumes."

    func run(in context: CheckContext) async throws -> CheckResult {
        guard var free = try await context.destination.facts().free else {
            return skipped("\(context.destination.name) does not say how much is free")
        }
        var needed = ByteCount.zero
        for application in context.applications {
            needed = needed + (try await size(of: application, context))
            // What stands by becomes the live volume, or makes room for it.
            free = free + (try await context.destination.volumes.standingBy(application.name))
        }
        guard needed.bytes <= free.bytes else {
            return failed(
                "\(context.destination.name) has \(free) free, the volumes take \(needed)", fix: "make room at \(context.destination.name)")
        }
        // A volume is materialised beside the copy it is made from.
        guard needed.bytes <= free.bytes / 2 else {
            return warning(
                "\(context.destination.name) has \(free) free, the volumes take \(needed): the copy and the live volumes may not both fit",
                fix: "make room at \(context.destination.name)")
        }
        return ok("\(needed) needed, \(free) free at \(context.destination.name)")
    }

    private func size(of application: Application, _ context: CheckContext) async throws -> ByteCount {
        guard let source = context.source else {
            return try await context.newestPoint(application).whole?.point.volumes.reduce(.zero) { $0 + $1.size } ?? .zero
        }
        var size = ByteCount.zero
        for volume in try await context.volumes(application) {
            do {
                size = size + (try await source.volumes.stat(volume)?.allocated ?? .zero)
            } catch let error as DRError where error.code == .volumeUnsupported {
                continue
            }
        }
        return size
    }
}
