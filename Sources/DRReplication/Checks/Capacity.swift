internal import DRModel

struct Capacity: Check {
    static let id = "capacity"
    static let summary = "The destination has room for the volumes."

    func run(in context: CheckContext) async throws -> CheckResult {
        guard let free = try await context.destination.facts().free else {
            return skipped("\(context.destination.name) does not say how much is free")
        }
        var (needed, standing) = (ByteCount.zero, ByteCount.zero)
        for application in context.applications {
            let size = try await size(of: application, context)
            needed = needed + size
            // What stands by becomes the live volumes of its own application; no other can have the room.
            let own = try await context.destination.volumes.standingBy(application.name)
            standing = standing + ByteCount(min(size.bytes, own.bytes))
        }
        let place = context.destination.name
        let apart = standing.bytes == 0 ? "" : ", of which \(standing) stand by there"
        guard needed.bytes - standing.bytes <= free.bytes else {
            return failed("\(place) has \(free) free, the volumes take \(needed)\(apart)", fix: "make room at \(place)")
        }
        // A volume is materialised beside the copy it is made from.
        guard 2 * needed.bytes - standing.bytes <= free.bytes else {
            return warning(
                "\(place) has \(free) free, the volumes take \(needed)\(apart): the copy and the live volumes may not both fit",
                fix: "make room at \(place)")
        }
        return ok("\(needed) needed\(apart), \(free) free at \(place)")
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
