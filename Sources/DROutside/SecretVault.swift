internal import Crypto
internal import DRModel
internal import DRSupport

/// The secrets that dr.yaml allows, read from the host's environment where a call is made, and nowhere kept.
struct SecretVault: Sendable {
    let allowances: Allowances
    /// Of the host.
    let environment: @Sendable (String) -> String?
    /// Nil in a plan: nothing is written, so there is no key to mark with.
    let fingerprintKey: (@Sendable () throws -> [UInt8])?

    /// `hmac-sha256:` and 16 hex digits under the host's key: the same secret, the same mark; nobody without the key can try values.
    func fingerprint(of name: SecretName) throws -> String? {
        let value = try value(of: name)
        guard let key = try fingerprintKey?() else { return nil }
        let code = HMAC<SHA256>.authenticationCode(for: Array(value.utf8), using: SymmetricKey(data: key))
        return "hmac-sha256:" + String(Digest.hex(Array(code)).prefix(16))
    }

    /// Throws `not-allowed`, `not-found`.
    func value(of name: SecretName) throws -> String {
        try allowances.check(name)
        return try declared(name)
    }

    /// What dr.yaml itself names (a channel's token) needs no further permission.
    func declared(_ name: SecretName) throws -> String {
        guard let value = environment(name.text), !value.isEmpty else {
            throw DRError(.notFound, "the environment of the host holds no \(name)", hint: "set it for the process that runs drrunbook")
        }
        return value
    }

    func text(_ text: OutsideText) throws -> String {
        switch text {
        case .plain(let text): text
        case .secret(let name): try value(of: name)
        }
    }

    /// Everything of the host's that must not be shown, whoever says it.
    func redaction(beside further: [SecretName] = []) -> Redaction {
        let names = Set(allowances.secrets.map(\.name) + allowances.channels.compactMap(\.token) + further)
        return Redaction(
            Dictionary(names.compactMap { name in environment(name.text).map { (name, $0) } }) { $1 })
    }
}
