internal import DRHTTP
public import DRModel
internal import DRSupport

/// Objects in a bucket of S3 or of what speaks like it. Needs conditional writes (`If-None-Match: *`): AWS, MinIO, Ceph and others have them.
///
/// Every request is signed, carries the payload's hash, and is repeated with growing pauses when the store says "later" or the answer is lost.
public struct S3ObjectStore: ObjectStore {
    public let name: StoreName
    let location: S3Location
    let limits: S3Limits
    private let credentials: @Sendable () throws -> S3Credentials
    private let clock: any WallClock
    private let random: any RandomSource
    private let client = HTTPClient()
    private let pool: BlockingPool
    private let trust: HTTPTrust
    /// The bucket is there: what is not found is the object.
    private let hasAnswered = Lock(false)

    /// `credentials` are asked for with each request, so that short-lived ones may change. `authorities`: a PEM file, instead of the system's.
    public init(
        name: StoreName, location: S3Location, limits: S3Limits = S3Limits(), credentials: @escaping @Sendable () throws -> S3Credentials,
        clock: any WallClock, random: any RandomSource, authorities: String? = nil
    ) {
        self.name = name
        self.location = location
        self.limits = limits
        self.credentials = credentials
        self.clock = clock
        self.random = random
        pool = BlockingPool(name: "s3-\(name)", threads: 16)
        trust = HTTPTrust(authorities: authorities)
    }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try check(name)
        if bytes.count > limits.partSize { return try await putParts(name, bytes) }
        let (answer, isRepeated) = try await ask(
            "PUT", name, headers: [("If-None-Match", "*"), ("x-amz-checksum-sha256", Self.checksum(bytes))], body: bytes)
        return try await written(name, bytes, answer, isRepeated)
    }

    public func get(_ name: String) async throws -> [UInt8] {
        try check(name)
        for attempt in 0..<3 {
            let (answer, _) = try await ask("GET", name, headers: [("x-amz-checksum-mode", "ENABLED")])
            if try await isMissing(answer) { throw DRError(.notFound, "store \(self.name) holds no \(name)") }
            guard answer.status == 200, !answer.cut else { throw refused(answer, "read \(name)") }
            // A checksum of parts ("...-3") says nothing of the whole.
            guard let sum = answer.header("x-amz-checksum-sha256"), !sum.contains("-"), sum != Self.checksum(answer.body) else {
                return answer.body
            }
            try await pause(attempt)
        }
        throw DRError(.damaged, "store \(self.name): \(name) does not have the checksum it was written with")
    }

    public func get(_ name: String, first count: Int) async throws -> [UInt8] {
        try check(name)
        let (answer, _) = try await ask("GET", name, headers: [("Range", "bytes=0-\(max(1, count) - 1)")])
        if try await isMissing(answer) { throw DRError(.notFound, "store \(self.name) holds no \(name)") }
        // One of nothing has no first byte.
        if answer.status == 416 { return [] }
        guard [200, 206].contains(answer.status), !answer.cut else { throw refused(answer, "read \(name)") }
        return Array(answer.body.prefix(count))
    }

    public func exists(_ name: String) async throws -> Bool {
        try check(name)
        let (answer, _) = try await ask("HEAD", name)
        if try await isMissing(answer) { return false }
        guard answer.status == 200 else {
            // An answer to HEAD has no words; one to GET says why.
            let (bucket, _) = try await askForBucket()
            throw refused(bucket.status == 200 ? answer : bucket, "ask for \(name)")
        }
        return true
    }

    public func list(prefix: String) async throws -> [StoredObject] {
        guard prefix.isEmpty || ObjectName.isPrefix(prefix) else { throw ObjectName.invalid(prefix) }
        var found: [StoredObject] = []
        var token: String?
        repeat {
            var query = [(name: "list-type", value: "2"), (name: "prefix", value: prefix)]
            if let token { query.append((name: "continuation-token", value: token)) }
            let (answer, _) = try await ask("GET", nil, query: query)
            guard answer.status == 200, !answer.cut else { throw refused(answer, "list \(prefix)") }
            let document = S3Document(answer.body)
            for object in document.elements("Contents") {
                guard let key = object.text(of: "Key"), let size = object.text(of: "Size").flatMap({ Int64($0) }), ObjectName.isValid(key)
                else {
                    continue
                }
                found.append(StoredObject(name: key, size: ByteCount(size)))
            }
            let isCut = document.text(of: "IsTruncated") == "true"
            let next = isCut ? document.text(of: "NextContinuationToken") : nil
            guard !isCut || (next != nil && next != token) else { throw DRError(.io, "store \(name): its list does not end") }
            token = next
        } while token != nil
        return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    public func delete(_ name: String) async throws {
        try check(name)
        let (answer, _) = try await ask("DELETE", name)
        guard [200, 204, 404].contains(answer.status) else { throw refused(answer, "delete \(name)") }
    }

    /// A bucket lists nothing that it may lose.
    public func settle(_ names: [String]) async throws {}

    // Without the bucket every object is "not found", too, and HEAD says no more.
    private func isMissing(_ answer: HTTPAnswer) async throws -> Bool {
        guard answer.status == 404 else {
            if answer.status == 200 { hasAnswered.withLock { $0 = true } }
            return false
        }
        if hasAnswered.withLock({ $0 }) { return true }
        let (bucket, _) = try await askForBucket()
        guard bucket.status == 200 else { throw refused(bucket, "look into its bucket") }
        hasAnswered.withLock { $0 = true }
        return true
    }

    private func askForBucket() async throws -> (answer: HTTPAnswer, isRepeated: Bool) {
        try await ask("GET", nil, query: [("list-type", "2"), ("max-keys", "1"), ("prefix", "")])
    }

    /// True when the object is ours. A write whose first answer was lost finds its own object there: it is compared.
    func written(_ name: String, _ bytes: [UInt8], _ answer: HTTPAnswer, _ isRepeated: Bool) async throws -> Bool {
        switch answer.status {
        case 200: return true
        case 412:
            guard isRepeated else { return false }
            return try await get(name) == bytes
        default: throw refused(answer, "write \(name)")
        }
    }

    /// One request, repeated while that may help. `isRepeated`: an earlier attempt may have arrived.
    func ask(
        _ method: String, _ name: String?, query: [(name: String, value: String)] = [], headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) async throws -> (answer: HTTPAnswer, isRepeated: Bool) {
        let address = try location.address(of: name, query: query)
        let payload = Digest.hex(of: body ?? [])
        var isRepeated = false
        for attempt in 0... {
            let signature = S3Signature(credentials: try credentials(), region: location.region)
            let signed = signature.headers(
                method: method, host: address.authority, path: address.path, query: address.query ?? "", headers: headers, payload: payload,
                at: clock.now())
            let order = HTTPOrder(
                method: method, address: address, headers: signed, body: body, timeout: limits.timeout, limit: limits.mostBytes,
                trust: trust,
                // A conditional write that is sent twice unseen would meet itself and be taken for somebody else's.
                isOnce: headers.contains { $0.name == "If-None-Match" })
            let client = client
            let reply: S3Reply
            do {
                reply = S3Reply(try await pool.run { try client.perform(order) })
            } catch let failure as HTTPFailure {
                guard ![.invalid, .untrusted].contains(failure.kind) else { throw unreachable(failure.reason) }
                reply = .transient(failure.reason, mayHaveArrived: failure.mayHaveArrived)
            }
            switch reply {
            case .answer(let answer): return (answer, isRepeated)
            case .transient(let reason, let mayHaveArrived):
                isRepeated = isRepeated || mayHaveArrived
                guard attempt + 1 < limits.attempts else { throw unreachable("\(reason), after \(limits.attempts) attempts") }
                try await pause(attempt)
            }
        }
        throw unreachable("no attempt was made")
    }

    /// Between nothing and twice as long as the time before, so that many clients do not come back together.
    private func pause(_ attempt: Int) async throws {
        let most = min(limits.longestPause, limits.firstPause * (1 << min(attempt, 20)))
        try await clock.sleep(for: most * (Double(random.next() >> 11) / Double(1 << 53)))
    }

    static func checksum(_ bytes: [UInt8]) -> String { Base64.text(Digest.bytes(of: bytes)) }

    private func check(_ name: String) throws { guard ObjectName.isValid(name) else { throw ObjectName.invalid(name) } }

    func refused(_ answer: HTTPAnswer, _ what: String) -> DRError {
        let document = S3Document(answer.body)
        let code = document.text(of: "Code") ?? "status \(answer.status)"
        let hint: String
        switch code {
        case "NoSuchBucket": hint = "create the bucket \(location.bucket), or mend objectStores.\(name).s3.bucket"
        case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
            hint = "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the host, and at the key's rights to \(location.bucket)"
        case "RequestTimeTooSkewed": hint = "set the host's clock"
        case "NotImplemented": hint = "the store must support conditional writes (If-None-Match) and checksums"
        case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
            hint = "look at objectStores.\(name).s3.region and endpoint"
        default: hint = "ask the store's operator"
        }
        let isGone = [401, 403].contains(answer.status) || code == "NoSuchBucket" || answer.status == 301
        let text = document.text(of: "Message").map { ": \($0.prefix(300))" } ?? ""
        // What an error quotes of a request may hold its signature; the key's name is no secret, but nobody needs it either.
        return DRError(
            isGone ? .storeUnreachable : code == "QuotaExceeded" || answer.status == 507 ? .noSpace : .io,
            "store \(name) refuses to \(what): \(code)\(code == "SignatureDoesNotMatch" ? "" : text)", hint: hint)
    }

    private func unreachable(_ reason: String) -> DRError {
        DRError(.storeUnreachable, "store \(name) cannot be reached at \(location.endpoint): \(reason)")
    }
}

/// How S3 is dealt with.
public struct S3Limits: Sendable, Hashable {
    /// Bytes; a larger object is sent in parts of this size. At least 5 MiB on AWS.
    public var partSize = 16 << 20
    public var parallelParts = 4
    public var attempts = 7
    public var firstPause: Duration = .milliseconds(200)
    public var longestPause: Duration = .seconds(10)
    /// Of one request.
    public var timeout: Duration = .seconds(300)
    /// Bytes of one answer.
    public var mostBytes = 1 << 30

    public init() {}
}
