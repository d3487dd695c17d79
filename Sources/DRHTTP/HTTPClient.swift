internal import CHTTP
internal import DRSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A request over the system's libcurl: certificates verified, no redirect followed.
package struct HTTPOrder: Sendable {
    package var method: String
    package var address: WebAddress
    /// In this order. No name, value or method with a line end gets here: `HTTPClient` refuses them.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    package var timeout: Duration
    /// Bytes of the answer's body that are kept.
    package var limit: Int
    package var trust: HTTPTrust
    /// It must not be sent twice: a connection of its own. Over a kept one that turns out dead libcurl would send it again without a word.
    package var isOnce: Bool

    package init(
        method: String = "GET", address: WebAddress, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeout: Duration = .seconds(30), limit: Int = 1 << 20, trust: HTTPTrust = HTTPTrust(), isOnce: Bool = false
    ) {
        self.isOnce = isOnce
        self.method = method
        self.address = address
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.limit = limit
        self.trust = trust
    }
}

/// Whom we believe and who we are: paths of PEM files.
package struct HTTPTrust: Sendable, Hashable {
    /// Nil = the system's authorities.
    package var authorities: String?
    package var certificate: String?
    package var key: String?

    package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
    }
}

package struct HTTPAnswer: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// The body was longer than is kept.
    package let cut: Bool

    /// What stands several times is joined with ", ".
    package func header(_ name: String) -> String? {
        let values = headers.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

/// No answer.
package struct HTTPFailure: Error, Sendable {
    package enum Kind: Sendable { case unreachable, timeout, untrusted, cancelled, broken, invalid }
    package let kind: Kind
    /// The request may have reached the other side.
    package let mayHaveArrived: Bool
    /// libcurl's words: they hold no header and no body.
    package let reason: String
}

/// Keeps connections open between requests. Any thread may use it; each call blocks its own.
package final class HTTPClient: Sendable {
    // libcurl's handle with its connections; one thread at a time has it.
    @safe private final class Handle: @unchecked Sendable {
        let client: OpaquePointer

        init?() {
            guard let client = unsafe chttp_open() else { return nil }
            unsafe self.client = client
        }

        deinit { unsafe chttp_close(client) }
    }

    private let idle = Lock<[Handle]>([])

    package init() {}

    /// `cancel`: a descriptor that becomes readable when the request is to be given up. Throws `HTTPFailure`.
    package func perform(_ order: HTTPOrder, cancel: Int32 = -1) throws -> HTTPAnswer {
        guard order.isWellFormed else {
            throw HTTPFailure(kind: .invalid, mayHaveArrived: false, reason: "a header holds a line end or no name")
        }
        guard let handle = idle.withLock({ $0.popLast() }) ?? Handle() else {
            throw HTTPFailure(kind: .broken, mayHaveArrived: false, reason: "no memory")
        }
        defer { idle.withLock { $0.append(handle) } }
        var answer = unsafe chttp_answer()
        defer { unsafe chttp_release(&answer) }
        unsafe order.withC(cancel) { unsafe chttp_perform(handle.client, $0, &answer) }
        guard unsafe answer.kind == Int32(chttp_ok.rawValue) else {
            let reason = unsafe withUnsafeBytes(of: answer.reason) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw unsafe HTTPFailure(kind: HTTPFailure.Kind(answer.kind), mayHaveArrived: answer.sent != 0, reason: reason)
        }
        let lines = unsafe Array(UnsafeBufferPointer(start: answer.headers, count: answer.headers_length))
        return unsafe HTTPAnswer(
            status: Int(answer.status), headers: Self.headers(lines),
            body: Array(UnsafeBufferPointer(start: answer.body, count: answer.body_length)), cut: answer.cut != 0)
    }

    private static func headers(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        bytes.split(separator: 10).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 32 || $0 == 9 }
            let end = value.lastIndex { ![32, 9, 13].contains($0) }.map { value.index(after: $0) } ?? value.startIndex
            return (name, String(decoding: value[..<end], as: UTF8.self))
        }
    }
}

extension HTTPOrder {
    fileprivate var isWellFormed: Bool {
        let token = { (text: String) in
            !text.isEmpty
                && text.utf8.allSatisfy {
                    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
                }
        }
        return token(method) && headers.allSatisfy { token($0.name) && !$0.value.utf8.contains { $0 == 10 || $0 == 13 || $0 == 0 } }
    }

    fileprivate func withC(_ cancel: Int32, _ body: (UnsafePointer<chttp_order>) -> Void) {
        // libcurl's own additions that nobody asked for are switched off.
        let names = Set(headers.map { $0.name.lowercased() })
        var lines = headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" } + ["Expect:"]
        if !names.contains("content-type") { lines.append("Content-Type:") }
        let copies = unsafe lines.map { unsafe strdup($0) }
        let texts = unsafe ([method, address.text] as [String]).map { unsafe strdup($0) }
        let files = unsafe [trust.authorities, trust.certificate, trust.key].map { file in unsafe file.flatMap { unsafe strdup($0) } }
        defer { unsafe (copies + texts + files).forEach { unsafe free($0) } }
        unsafe (copies + [nil]).withUnsafeBufferPointer { headers in
            unsafe (self.body ?? []).withUnsafeBytes { bytes in
                var order = unsafe chttp_order()
                unsafe order.method = UnsafePointer(texts[0])
                unsafe order.url = UnsafePointer(texts[1])
                unsafe order.headers = headers.baseAddress
                unsafe order.body = bytes.baseAddress
                unsafe order.body_length = bytes.count
                unsafe order.has_body = self.body == nil ? 0 : 1
                unsafe order.timeout = max(1, milliseconds(timeout))
                unsafe order.connect_timeout = min(10_000, max(1, milliseconds(timeout)))
                unsafe order.limit = limit
                unsafe order.authorities = UnsafePointer(files[0])
                unsafe order.certificate = UnsafePointer(files[1])
                unsafe order.key = UnsafePointer(files[2])
                unsafe order.fresh = isOnce ? 1 : 0
                unsafe order.cancel = cancel
                unsafe body(&order)
            }
        }
    }

    private func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(seconds, 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension HTTPFailure.Kind {
    fileprivate init(_ kind: Int32) {
        switch UInt32(bitPattern: kind) {
        case chttp_unreachable.rawValue: self = .unreachable
        case chttp_timeout.rawValue: self = .timeout
        case chttp_untrusted.rawValue: self = .untrusted
        case chttp_cancelled.rawValue: self = .cancelled
        default: self = .broken
        }
    }
}
