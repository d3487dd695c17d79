internal import DRModel

/// How a record ends, as it is signed.
struct HeadStatement: Hashable {
    static let namespace = "drrunbook-head"

    let run: RunID
    let count: Int64
    let hash: String

    var text: String { "drrunbook-head-1\nrun: \(Value.string(run.text).json())\ncount: \(count)\nhash: \(Value.string(hash).json())\n" }
}

/// What became of looking for a head's signature.
public enum HeadSigned: Sendable, Hashable {
    /// dr.yaml names no keys, so none is needed.
    case notAsked
    /// By a key of dr.yaml.
    case by(String, fingerprint: String)
    /// There is none, though dr.yaml names keys.
    case missing
    /// There is one, and it is of none of the keys of dr.yaml, or of another head.
    case wrong

    var isSigned: Bool { if case .by = self { true } else { false } }

    /// The head counts: it was signed where that is asked for.
    public var counts: Bool {
        switch self {
        case .notAsked, .by: true
        case .missing, .wrong: false
        }
    }
}

/// Signs and verifies the ends of records with the keys that dr.yaml names.
struct HeadSignatures: Sendable {
    let keys: HeadKeys?
    /// dr.yaml, for messages.
    let file: String
    private let tool: SSHSignature
    private let unsigned: UnsignedRecords

    init(_ configuration: Configuration, random: any RandomSource) {
        keys = configuration.signing
        file = configuration.file
        tool = SSHSignature(folder: configuration.state, random: random)
        unsigned = UnsignedRecords(state: configuration.state)
    }

    /// Throws `configuration` where a key is named that is not there: before a run has changed anything.
    func checkKey() throws {
        guard let path = keys?.keyFile, !TextFile.exists(path) else { return }
        throw DRError(
            .configuration, "\(file): signing.keyFile: there is no file \(path)",
            hint: "`ssh-keygen -t ed25519 -f \(path)` makes a key; its public half belongs under signing.hosts")
    }

    /// Nil where this host signs nothing, and for a record that it took though nobody had signed it.
    func sign(_ head: HeadStatement) throws -> String? {
        guard let path = keys?.keyFile, try unsigned.taking(of: head.run) == nil else { return nil }
        return try tool.sign(head.text, keyFile: path, namespace: HeadStatement.namespace)
    }

    func check(_ signature: String?, of head: HeadStatement) throws -> HeadSigned {
        guard let keys else { return .notAsked }
        guard let signature else { return .missing }
        for signer in keys.signers {
            if let fingerprint = try tool.verify(head.text, signature: signature, key: signer.key, namespace: HeadStatement.namespace) {
                return .by(signer.name, fingerprint: fingerprint)
            }
        }
        return .wrong
    }

    /// The same, and throws `journal-damaged` where the signature is wrong. `place`: where the head stands.
    func admit(_ signature: String?, of head: HeadStatement, at place: String) throws -> HeadSigned {
        let found = try check(signature, of: head)
        guard found != .wrong else {
            throw DRError(
                .journalDamaged,
                "the head of run \(head.run) in \(place) is signed by none of the keys of \(file), or was signed with another end",
                hint: "somebody else wrote it, or a key is missing under signing.hosts",
                details: ["run": .string(head.run.text), "record": .integer(max(0, head.count - 1))])
        }
        return found
    }
}

extension Host {
    var headSignatures: HeadSignatures { HeadSignatures(configuration, random: world.random) }
}
