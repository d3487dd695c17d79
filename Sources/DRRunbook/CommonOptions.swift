import ArgumentParser
import DRHost
import DRModel
import DRSupport

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file(extensions: ["yaml"]))
    var config = "dr.yaml"
    @Flag(name: .long, help: "One JSON object a line on standard output.")
    var json = false
    @Flag(name: .customLong("no-color"), help: "No colors, though this is a terminal.")
    var noColor = false
    @Flag(name: .shortAndLong, help: "Say more: effects, hints, full errors.")
    var verbose = false

    var output: Output { Output(json: json, noColor: noColor, verbose: verbose) }
}

/// A command that does something: it answers with its exit status, and its errors are told in one way.
protocol HostCommand: ParsableCommand {
    var common: CommonOptions { get }
    func perform(_ output: Output) async throws -> ExitStatus
}

extension HostCommand {
    func perform() async -> ExitStatus {
        let output = common.output
        do {
            return try await perform(output)
        } catch {
            output.failure(error)
            return ExitStatus(error)
        }
    }

    /// Opens the host, and closes it when `body` has ended.
    func withHost<Result>(_ body: (Host) async throws -> Result) async throws -> Result {
        let host = try Host.open(configurationFile: common.config)
        host.keepRemains()
        opened.withLock { $0.append(host) }
        defer { host.close() }
        return try await body(host)
    }

    static func duration(_ text: String, of option: String) throws -> Duration {
        do { return try Duration(parsing: text) } catch {
            throw DRError(.invalidInput, "\(option): expected a duration such as 15m, got \"\(text)\"")
        }
    }
}

/// Hosts stay until the process ends: the system frees what they hold faster than we could.
private let opened = Lock<[Host]>([])

/// A runbook and what it is given.
struct RunbookOptions: ParsableArguments {
    @Argument(help: "The runbook, such as runbooks/failover.lua.", completion: .file(extensions: ["lua"]))
    var runbook: String
    @Option(name: [.customShort("p"), .customLong("param")], help: ArgumentHelp("A parameter; may be repeated.", valueName: "name=value"))
    var parameters: [String] = []
    @Option(
        name: .long, help: ArgumentHelp("Parameters from a YAML or JSON file; -p goes before them.", valueName: "file"),
        completion: .file())
    var params: String?

    func values() throws -> Value {
        var values = try params.map { try ParameterFile.read($0).map ?? [:] } ?? [:]
        var given: Set<String> = []
        for parameter in parameters {
            guard let equals = parameter.firstIndex(of: "="), equals != parameter.startIndex else {
                throw DRError(.invalidInput, "-p \(parameter): expected NAME=VALUE")
            }
            let name = String(parameter[..<equals])
            guard given.insert(name).inserted else { throw DRError(.invalidInput, "-p \(name): given twice") }
            values[name] = .string(String(parameter[parameter.index(after: equals)...]))
        }
        return .map(values)
    }
}
