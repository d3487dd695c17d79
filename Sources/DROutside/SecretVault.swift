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

/// Takes the values of secrets out of what came from outside, also in the forms in which programs like to print them.
struct Redaction {
    private var forms: [(bytes: [UInt8], mark: [UInt8])] = []
    /// What is shorter would take ordinary words away, and is no secret.
    private static let shortest = 4

    init(_ secrets: [SecretName: String]) {
        for (name, value) in secrets.sorted(by: { $0.key < $1.key }) where value.utf8.count >= Self.shortest {
            let mark = Array("[secret \(name)]".utf8)
            let base64 = Base64.text(Array(value.utf8))
            let unpadded = String(base64.prefix { $0 != "=" })
            let json = String(Value.string(value).json().dropFirst().dropLast())
            let percent = value.utf8.map { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95, 126].contains(byte)
                    ? String(UnicodeScalar(byte)) : "%" + Digest.hex([byte]).uppercased()
            }.joined()
            for form in Set([value, base64, unpadded, json, percent]) { forms.append((Array(form.utf8), mark)) }
        }
        forms.sort { $0.bytes.count > $1.bytes.count }
    }

    /// `isCut`: the end is missing, and with it perhaps the end of a secret.
    func clean(_ bytes: [UInt8], isCut: Bool = false) -> [UInt8] {
        guard !forms.isEmpty else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        let firsts = Set(forms.map { $0.bytes[0] })
        var index = 0
        while index < bytes.count {
            if firsts.contains(bytes[index]) {
                if let form = forms.first(where: { bytes[index...].starts(with: $0.bytes) }) {
                    result += form.mark
                    index += form.bytes.count
                    continue
                }
                let rest = bytes[index...]
                if isCut, forms.contains(where: { rest.count < $0.bytes.count && $0.bytes.starts(with: rest) }) { break }
            }
            result.append(bytes[index])
            index += 1
        }
        return result
    }

    func clean(_ text: String) -> String { forms.isEmpty ? text : String(decoding: clean(Array(text.utf8)), as: UTF8.self) }
}
