internal import DRModel
internal import DRSupport

/// Takes the values of secrets out of what came from outside.
///
/// A value is found as it is, however its characters are escaped (JSON, percent, HTML: what decodes the answer would have it again), in base64 wherever it begins, as
/// in the `user:password` of a header, and in hex.
struct Redaction {
    private var secrets: [(pattern: EscapedText, mark: [UInt8])] = []
    private var firsts: Set<UInt8> = []
    /// What is shorter would take ordinary words away, and is no secret.
    private static let shortest = 4
    /// Bytes that an encoded part of a secret must have: fewer are found anywhere.
    private static let shortestEncoded = 8

    init(_ values: [SecretName: String]) {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where value.utf8.count >= Self.shortest {
            let mark = Array("[secret \(name)]".utf8)
            for form in [value] + Self.encoded(Array(value.utf8)) { secrets.append((EscapedText(form), mark)) }
        }
        secrets.sort { $0.pattern.length > $1.pattern.length }
        firsts = Set(secrets.flatMap(\.pattern.firsts))
    }

    private static func encoded(_ value: [UInt8]) -> [String] {
        var forms = [Digest.hex(value), Digest.hex(value).uppercased()]
        // What stands before it shifts it by 0, 1 or 2 bytes; the characters at both ends are mixed with what stands beside it.
        for shift in 0..<3 {
            let text = Base64.text([UInt8](repeating: 0, count: shift) + value).prefix { $0 != "=" }
            let isMixedAtTheEnd = (shift + value.count) % 3 != 0
            let whole = String(text.dropFirst(shift == 0 ? 0 : shift + 1))
            forms += [whole, isMixedAtTheEnd ? String(whole.dropLast()) : whole]
        }
        forms += forms.map { $0.replacing("+", with: "-").replacing("/", with: "_") }
        return Set(forms.filter { $0.utf8.count >= shortestEncoded }).sorted()
    }

    /// `isCut`: the end is missing, and with it perhaps the end of a secret.
    func clean(_ bytes: [UInt8], isCut: Bool = false) -> [UInt8] {
        guard !secrets.isEmpty else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        scan: while index < bytes.count {
            if firsts.contains(bytes[index]) {
                for (pattern, mark) in secrets {
                    switch pattern.match(bytes, at: index) {
                    case .until(let end):
                        result += mark
                        index = end
                        continue scan
                    case .begins where isCut: break scan
                    case .begins, .no: continue
                    }
                }
            }
            result.append(bytes[index])
            index += 1
        }
        return result
    }

    func clean(_ text: String) -> String { secrets.isEmpty ? text : String(decoding: clean(Array(text.utf8)), as: UTF8.self) }
}
