internal import DRHTTP
public import DRModel

/// Where a bucket is.
public struct S3Location: Sendable, Hashable {
    /// `https://s3.eu-central-1.amazonaws.com`, `http://localhost:9000`.
    public let endpoint: String
    public let bucket: String
    public let region: String
    /// `ENDPOINT/BUCKET/NAME` instead of `BUCKET.ENDPOINT/NAME`.
    public let pathStyle: Bool

    /// Throws `configuration` when endpoint or bucket cannot be.
    public init(endpoint: String, bucket: String, region: String, pathStyle: Bool) throws(DRError) {
        let problem: String?
        do { problem = try WebAddress(endpoint).query == nil ? nil : "it holds a query" } catch { problem = error.reason }
        if let problem { throw DRError(.configuration, "endpoint: expected a URL, found \"\(endpoint)\": \(problem)") }
        let isName =
            (3...63).contains(bucket.utf8.count)
            && bucket.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
            && !bucket.contains("..")
        guard isName else {
            throw DRError(
                .configuration, "bucket: \"\(bucket)\" is not the name of a bucket", hint: "3 to 63 lower-case letters, digits, '-' and '.'"
            )
        }
        guard !region.isEmpty, region.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }) else {
            throw DRError(.configuration, "region: expected a region such as eu-central-1, found \"\(region)\"")
        }
        self.endpoint = endpoint
        self.bucket = bucket
        self.region = region
        self.pathStyle = pathStyle
    }

    /// `name`: of an object; nil = the bucket itself.
    func address(of name: String?, query: [(name: String, value: String)] = []) throws -> WebAddress {
        var address = try WebAddress(endpoint)
        var segments = address.segments.last == "" ? Array(address.segments.dropLast()) : address.segments
        if pathStyle { segments.append(bucket) } else { address.host = "\(bucket).\(address.host)" }
        if let name { segments += name.split(separator: "/").map(String.init) }
        address.segments = segments.isEmpty ? [""] : segments
        if !query.isEmpty { address.query = S3Signature.canonicalQuery(query) }
        return address
    }
}

/// Who asks. Values are in no description, error or record.
public struct S3Credentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let accessKey: String
    let secretKey: String
    let sessionToken: String?

    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    public var description: String { "S3Credentials" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// As the AWS tools find them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, else the profile `AWS_PROFILE` of
    /// `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`. `file` gives a file's text, nil when there is none. Throws `store-unreachable`.
    public static func find(environment: (String) -> String?, file: (String) throws -> String?) throws -> S3Credentials {
        func variable(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        if let key = variable("AWS_ACCESS_KEY_ID"), let secret = variable("AWS_SECRET_ACCESS_KEY") {
            return S3Credentials(accessKey: key, secretKey: secret, sessionToken: variable("AWS_SESSION_TOKEN"))
        }
        let profile = variable("AWS_PROFILE") ?? "default"
        let path = variable("AWS_SHARED_CREDENTIALS_FILE") ?? variable("HOME").map { $0 + "/.aws/credentials" }
        guard let path, let text = try file(path) else {
            throw DRError(
                .storeUnreachable, "there are no credentials for S3",
                hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write ~/.aws/credentials")
        }
        var section = "", members: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline).map({ $0.trimmingBlanks }) where !line.hasPrefix("#") && !line.hasPrefix(";") {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = line.dropFirst().dropLast().trimmingBlanks
            } else if section == profile, let equals = line.firstIndex(of: "=") {
                members[line[..<equals].trimmingBlanks] = line[line.index(after: equals)...].trimmingBlanks
            }
        }
        guard let key = members["aws_access_key_id"], let secret = members["aws_secret_access_key"] else {
            throw DRError(.storeUnreachable, "\(path) has no aws_access_key_id and aws_secret_access_key for the profile \(profile)")
        }
        return S3Credentials(accessKey: key, secretKey: secret, sessionToken: members["aws_session_token"])
    }
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
