internal import Crypto
internal import DRHTTP
package import DRModel
internal import DRSupport

/// AWS Signature, version 4, as S3 wants it: the path encoded once, the payload's hash in a header.
package struct S3Signature: Sendable {
    let credentials: S3Credentials
    let region: String
    let service = "s3"

    package init(credentials: S3Credentials, region: String) {
        self.credentials = credentials
        self.region = region
    }

    /// The headers to send with a request, `Authorization` among them. `path` and `query` as they are sent, `payload` in hex.
    package func headers(
        method: String, host: String, path: String, query: String, headers given: [(name: String, value: String)], payload: String,
        at instant: Instant
    ) -> [(name: String, value: String)] {
        let stamp = Self.stamp(instant)
        var headers = given + [("x-amz-content-sha256", payload), ("x-amz-date", stamp)]
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        let signed = (headers + [("host", host)]).map { (name: $0.name.lowercased(), value: Self.trimmed($0.value)) }.sorted {
            $0.name < $1.name
        }
        let names = signed.map(\.name).joined(separator: ";")
        let request = ([method, path, query] + signed.map { "\($0.name):\($0.value)" } + ["", names, payload]).joined(separator: "\n")
        let day = String(stamp.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", stamp, scope, Digest.hex(of: request)].joined(separator: "\n")
        let key = [day, region, service, "aws4_request"].reduce(Array("AWS4\(credentials.secretKey)".utf8)) { Self.code($1, key: $0) }
        let signature = Digest.hex(Self.code(text, key: key))
        headers.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
            ))
        return headers
    }

    private static func code(_ text: String, key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    // Blanks at the ends go, several in a row become one.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    /// `20260301T021500Z`.
    private static func stamp(_ instant: Instant) -> String {
        let digits = instant.description.filter(\.isNumber)
        return "\(digits.prefix(8))T\(digits.dropFirst(8).prefix(6))Z"
    }

    /// Sorted and encoded: sent and signed alike.
    package static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (encoded($0.name), encoded($0.value)) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { "\($0)=\($1)" }.joined(
            separator: "&")
    }

    package static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95, 126].contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + Digest.hex([byte]).uppercased()
        }.joined()
    }
}
