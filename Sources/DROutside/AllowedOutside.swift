internal import DRHTTP
public import DRModel
internal import DRSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The world outside as far as dr.yaml allows it: in a run it is reached, in a plan it is only said what would be.
///
/// What is allowed is asked first, in plans and drills too, so that they refuse what a run would refuse.
public struct AllowedOutside: Outside {
    let allowances: Allowances
    /// A plan: nothing is reached.
    let predicts: Bool
    /// Where programs run: the folder of dr.yaml.
    let folder: String
    let vault: SecretVault
    let pool: BlockingPool
    let client = HTTPClient()
    let trust: HTTPTrust
    let memory: (any NotificationMemory)?

    /// `fingerprintKey`: what secrets are marked with in the record; nil in a plan. `authorities`: a PEM file of those to trust, instead of the system's.
    /// `environment`: of the host, as `getenv` gives it.
    public init(
        allowances: Allowances, predicts: Bool, folder: String, fingerprintKey: (@Sendable () throws -> [UInt8])?,
        memory: (any NotificationMemory)? = nil, authorities: String? = nil,
        environment: @escaping @Sendable (String) -> String? = Self.hostEnvironment
    ) {
        self.allowances = allowances
        self.predicts = predicts
        self.folder = folder
        self.memory = memory
        trust = HTTPTrust(authorities: authorities)
        vault = SecretVault(allowances: allowances, environment: environment, fingerprintKey: predicts ? nil : fingerprintKey)
        pool = BlockingPool(name: "outside", threads: 64)
    }

    public static let hostEnvironment: @Sendable (String) -> String? = { name in unsafe getenv(name).map { unsafe String(cString: $0) } }

    public func fingerprint(of secret: SecretName) throws -> String? { try vault.fingerprint(of: secret) }

    public func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution {
        let program = try ProgramRule(allowances: allowances).program(for: order.argv)
        let environment = try ProgramEnvironment(order.environment, of: program, call, vault).variables
        let input = try order.input.map { Array(try vault.text($0).utf8) } ?? []
        call.effects.record(Effect(calling: "exec", program.name))
        switch conduct(order.standIn, onlyAsks: false, call) {
        case .answer(let value, let origin):
            return Execution(
                code: Int32(clamping: value["code"].integer ?? 0), stdout: value["stdout"].string ?? "",
                stderr: value["stderr"].string ?? "", cut: false, origin: origin)
        case .perform: break
        }
        failpoint("outside.begun")
        let run = ProgramRun(
            path: program.path, argv: [program.path] + order.argv.dropFirst(), environment: environment, input: input, folder: folder,
            timeout: order.timeout)
        let cancellation = try Cancellation()
        let ended = try await withTaskCancellationHandler {
            try await pool.run { try run.run(cancel: cancellation.readEnd) }
        } onCancel: {
            cancellation.cancel()
        }
        if ended.cancelled { throw DRError(.unknownOutcome, "\(program.name) was killed because the run ended") }
        let redaction = vault.redaction()
        func text(_ bytes: [UInt8], _ isCut: Bool) -> String { String(decoding: redaction.clean(bytes, isCut: isCut), as: UTF8.self) }
        let output = text(ended.output, ended.outputCut), errors = text(ended.errors, ended.errorsCut)
        if ended.timedOut {
            throw DRError(
                .timeout, "\(program.name) did not end within \(order.timeout.text) and was killed, with its process group",
                hint: "what it did until then stands; `timeout` gives it more time",
                details: ["stdout": .string(output), "stderr": .string(errors)])
        }
        return Execution(code: ended.code, stdout: output, stderr: errors, cut: ended.outputCut || ended.errorsCut)
    }

    enum Conduct {
        case perform
        case answer(Value, AnswerOrigin)
    }

    /// Reach the world, or answer instead of it.
    func conduct(_ standIn: StandIn, onlyAsks: Bool, _ call: OutsideCall) -> Conduct {
        if call.runningAs == .drill {
            switch standIn.inDrill {
            case .answer(let value): return .answer(value, .skipped)
            case .skip: return .answer(.null, .skipped)
            case .unsaid where !onlyAsks: return .answer(.null, .skipped)
            case .unsaid, .run: break
            }
        }
        return predicts ? .answer(standIn.inPlan ?? .null, .predicted) : .perform
    }
}

/// What a program finds in its environment: where it may look for others, who it is run as, what it is run for; and what the call gives it.
struct ProgramEnvironment {
    let variables: [String: String]

    /// Throws `not-allowed` for a variable that dr.yaml does not name for the program: many decide what a program loads or runs.
    init(_ given: [String: OutsideText], of program: Allowances.Program, _ call: OutsideCall, _ vault: SecretVault) throws {
        var variables = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DRRUNBOOK_RUN": call.run.text,
            "DRRUNBOOK_KEY": call.key.text, "DRRUNBOOK_MODE": call.runningAs.rawValue,
        ]
        for name in ["HOME", "USER", "LOGNAME", "TZ"] { variables[name] = vault.environment(name) }
        for (name, text) in given.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0) else {
                throw DRError(.invalidInput, "env: \"\(name)\" is not the name of a variable")
            }
            guard program.environment.contains(name) else { throw Self.refused(name, program, vault.allowances) }
            let value = try vault.text(text)
            guard !value.utf8.contains(0) else { throw DRError(.invalidInput, "env: \(name) holds a zero byte") }
            variables[name] = value
        }
        self.variables = variables
    }

    private static func refused(_ name: String, _ program: Allowances.Program, _ allowances: Allowances) -> DRError {
        let hint: String
        if let nearest = Spelling.nearest(to: name, in: program.environment) {
            hint = "did you mean \(nearest)?"
        } else if program.environment.isEmpty {
            hint = "name what a call may set: env: [\(name)]"
        } else {
            hint = "allowed: \(program.environment.joined(separator: ", "))"
        }
        return DRError(.notAllowed, "\(allowances.place(program.location)) does not let a call of \(program.name) set \(name)", hint: hint)
    }
}
