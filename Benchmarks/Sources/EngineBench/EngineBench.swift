import Foundation

/// `EngineBench OBJECTS together|apart FOLDER`: prints a line a measurement, `NAME SECONDS BYTES-WRITTEN`, and the peak of memory at the end.
///
/// `EngineBench standby MEBIBYTES FOLDER`: the failover of one application with one image of so many, a line for each way it may stand by.
@main struct EngineBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count == 4, arguments[1] == "standby", let size = Int64(arguments[2]) {
            return try await StandbyBench(root: URL(filePath: arguments[3]), size: size << 20).run()
        }
        guard arguments.count == 4, let objects = Int(arguments[1]), ["together", "apart"].contains(arguments[2]) else {
            print("usage: EngineBench OBJECTS together|apart FOLDER")
            exit(2)
        }
        let sites = try Sites(objects: objects, together: arguments[2] == "together", below: URL(filePath: arguments[3]))
        try await measure("first") { try await sites.migrate("first") }
        try await measure("same") { try await sites.migrate("same") }
        try sites.touch(1)
        try await measure("changed") { try await sites.migrate("changed") }
        try await measure("checks") { _ = try await sites.checks("checks") }
        try await measure("failover") { try await sites.failover("failover") }
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        print("memory \(usage.ru_maxrss * 1024) 0")
        try sites.remove()
    }

    static func measure(_ name: String, _ body: () async throws -> Void) async throws {
        let clock = ContinuousClock()
        let before = written()
        let took = try await clock.measure { try await body() }
        print("\(name) \(Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18) \(written() - before)")
    }

    /// Bytes that this process has given to `write`.
    private static func written() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix("wchar:") }.flatMap { Int($0.dropFirst(7)) } ?? 0
    }
}
