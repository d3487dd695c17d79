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
        let environment = try ProgramEnvironment(order.environment, call, vault).variables
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
                .timeout, "\(program.name) did not end within \(order.timeout.text) and was killed, with all it had started",
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

    /// Throws `invalid-input` for names that would have the program load or run something else.
    init(_ given: [String: OutsideText], _ call: OutsideCall, _ vault: SecretVault) throws {
        var variables = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DRRUNBOOK_RUN": call.run.text,
            "DRRUNBOOK_KEY": call.key.text, "DRRUNBOOK_MODE": call.runningAs.rawValue,
        ]
        for name in ["HOME", "USER", "LOGNAME", "TZ"] { variables[name] = vault.environment(name) }
        for (name, text) in given.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0) else {
                throw DRError(.invalidInput, "env: \"\(name)\" is not the name of a variable")
            }
            guard !Self.isReserved(name) else {
                throw DRError(
                    .notAllowed, "env: \(name) decides what a program loads or runs, so a call may not set it",
                    hint: "let \(vault.allowances.file) allow a program that sets it itself")
            }
            let value = try vault.text(text)
            guard !value.utf8.contains(0) else { throw DRError(.invalidInput, "env: \(name) holds a zero byte") }
            variables[name] = value
        }
        self.variables = variables
    }

    private static let reserved: Set = [
        "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4", "CDPATH", "GCONV_PATH", "LOCPATH", "NLSPATH", "HOSTALIASES",
        "PERL5OPT", "PERL5LIB", "PERLLIB", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONINSPECT", "RUBYOPT", "RUBYLIB",
        "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "GIT_SSH", "GIT_SSH_COMMAND",
        "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "EDITOR", "VISUAL", "PAGER", "LESSOPEN", "LESSCLOSE", "MANPAGER", "OPENSSL_CONF", "LUA_INIT",
        "LUA_PATH", "LUA_CPATH",
    ]

    private static func isReserved(_ name: String) -> Bool {
        reserved.contains(name)
            || ["LD_", "DYLD_", "DRRUNBOOK_", "BASH_FUNC_", "GLIBC_TUNABLES", "MALLOC_", "LUA_INIT"].contains { name.hasPrefix($0) }
    }
}
