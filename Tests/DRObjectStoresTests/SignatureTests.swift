import DRModel
import DRObjectStores
import Foundation
import Testing

@Suite struct SignatureTests {
    /// `vectors.py` has botocore sign generated requests; `make test-s3` compares some thousands.
    private static let file =
        ProcessInfo.processInfo.environment["DRRUNBOOK_SIGNATURES"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("signatures.json").path

    @Test func `signatures are those of botocore`() throws {
        let vectors = try #require(try Value(json: String(contentsOfFile: Self.file, encoding: .utf8)).list)
        #expect(vectors.count >= 60)
        for vector in vectors {
            func pairs(_ name: String) -> [(name: String, value: String)] {
                (vector[name].list ?? []).map { (name: $0["name"].string ?? "", value: $0["value"].string ?? "") }
            }
            func text(_ name: String) -> String { vector[name].string ?? "" }
            let signature = S3Signature(
                credentials: S3Credentials(
                    accessKey: text("accessKey"), secretKey: text("secretKey"), sessionToken: vector["sessionToken"].string),
                region: text("region"))
            let headers = signature.headers(
                method: text("method"), host: text("host"), path: text("path"), query: S3Signature.canonicalQuery(pairs("query")),
                headers: pairs("headers"), payload: text("payload"), at: try Instant(rfc3339: text("time")))
            #expect(headers.last?.value == text("authorization"), "\(vector.json(.plain))")
        }
    }

    @Test func `credentials come from the environment, else from the file, and are in no description`() throws {
        let file = """
            [default]
            aws_access_key_id = D
            aws_secret_access_key = hidden-default
            # a comment
            [work]
            aws_access_key_id=W
              aws_secret_access_key =  hidden-work
            aws_session_token = T
            """
        func find(_ environment: [String: String], _ text: String? = nil) throws -> S3Credentials {
            try S3Credentials.find(environment: { environment[$0] }) { _ in text }
        }
        func headers(_ credentials: S3Credentials) -> String {
            S3Signature(credentials: credentials, region: "r").headers(
                method: "GET", host: "h", path: "/", query: "", headers: [], payload: "", at: Instant(nanosecondsSince1970: 0)
            ).map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
        }
        let given = try find(["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "hidden-env", "HOME": "/home/me"], file)
        #expect(headers(given).contains("Credential=E/"))
        #expect(headers(try find(["HOME": "/home/me"], file)).contains("Credential=D/"))
        let work = headers(try find(["HOME": "/home/me", "AWS_PROFILE": "work"], file))
        #expect(work.contains("Credential=W/") && work.contains("x-amz-security-token=T"))
        #expect(!"\(given) \(String(reflecting: given)) \(Mirror(reflecting: given).children.map { "\($0)" })".contains("hidden"))
        var dumped = ""
        dump(given, to: &dumped)
        #expect(!dumped.contains("hidden"))
        for (environment, text) in [([:], nil), (["HOME": "/home/me"], nil), (["HOME": "/h", "AWS_PROFILE": "none"], file)]
            as [([String: String], String?)]
        {
            #expect { try find(environment, text) } throws: { ($0 as? DRError)?.code == .storeUnreachable }
        }
    }
}
