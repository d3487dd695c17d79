/// An http or https URL, read strictly: what two programs could read differently is refused, so that what was checked is what is asked.
package struct WebAddress: Sendable, Hashable {
    package var isSecure: Bool
    /// Lower case; an IPv6 address in brackets.
    package var host: String
    package var port: Int
    /// Between slashes, as they are sent; an empty last one stands for a slash at the end.
    package var segments: [String]
    package var query: String?

    package struct Malformed: Error, Sendable { package let reason: String }

    package init(_ text: String) throws(Malformed) {
        var rest = Substring(text)
        let lower = text.lowercased()
        if lower.hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        } else if lower.hasPrefix("http://") {
            isSecure = false
            rest = rest.dropFirst(7)
        } else {
            throw Malformed(reason: "expected http:// or https://")
        }
        guard text.utf8.count <= 8192 else { throw Malformed(reason: "it is longer than 8192 bytes") }
        guard rest.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            throw Malformed(reason: "it holds a blank, a fragment, or a character that has to be percent-encoded")
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        (host, port) = try Self.authority(rest[..<end], isSecure)
        rest = rest[end...]
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        segments = try Self.segments(rest)
        if let query, !Self.hasWholeEscapes(query) { throw Malformed(reason: "a % in its query is followed by no two hex digits") }
    }

    private static func authority(_ text: Substring, _ isSecure: Bool) throws(Malformed) -> (String, Int) {
        guard !text.contains("@") else { throw Malformed(reason: "it holds a user name; use a header with a secret") }
        var host = text.lowercased()[...]
        var port = isSecure ? 443 : 80
        let colon = host.hasPrefix("[") ? host.lastIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":")
        if let colon, colon < host.endIndex {
            let digits = host[host.index(after: colon)...]
            guard host[colon] == ":", digits.count <= 5, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits),
                (1...65535).contains(number)
            else { throw Malformed(reason: "its port is no number from 1 to 65535") }
            port = number
            host = host[..<colon]
        }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                throw Malformed(reason: "its host is no address")
            }
        } else {
            let labels = host.split(separator: ".", omittingEmptySubsequences: false)
            let isName = labels.allSatisfy { label in
                !label.isEmpty && label.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95 }
            }
            guard isName else { throw Malformed(reason: "its host is no name") }
        }
        return (String(host), port)
    }

    private static func segments(_ path: Substring) throws(Malformed) -> [String] {
        guard !path.isEmpty else { return [""] }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var segments: [String] = []
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty || index == parts.count - 1 else { throw Malformed(reason: "its path holds //") }
            let segment = try normalised(part)
            guard segment != ".", segment != ".." else { throw Malformed(reason: "its path holds . or ..") }
            segments.append(segment)
        }
        return segments
    }

    // Escapes of letters, digits, - . _ ~ are undone, the others in upper case: one way to write a path.
    private static func normalised(_ part: Substring) throws(Malformed) -> String {
        var text = ""
        var bytes = Array(part.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                text.unicodeScalars.append(UnicodeScalar(byte))
                continue
            }
            guard let high = bytes.popFirst().flatMap(digit), let low = bytes.popFirst().flatMap(digit) else {
                throw Malformed(reason: "a % in its path is followed by no two hex digits")
            }
            let value = UInt8(high << 4 | low)
            guard value > 31, value != 127, value != UInt8(ascii: "/"), value != UInt8(ascii: "\\") else {
                throw Malformed(reason: "its path holds an escaped slash or control character")
            }
            if isUnreserved(value) {
                text.unicodeScalars.append(UnicodeScalar(value))
            } else {
                text += "%" + String(high, radix: 16, uppercase: true) + String(low, radix: 16, uppercase: true)
            }
        }
        return text
    }

    private static func hasWholeEscapes(_ text: String) -> Bool {
        let parts = text.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
        return parts.allSatisfy { $0.prefix(2).count == 2 && $0.prefix(2).allSatisfy(\.isHexDigit) }
    }

    private static func digit(_ byte: UInt8) -> Int? { Character(UnicodeScalar(byte)).hexDigitValue }
    static func isUnreserved(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95, 126].contains(byte)
    }

    /// Host, and port where it is not the scheme's own.
    package var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }
    package var path: String { "/" + segments.joined(separator: "/") }
    package var origin: String { (isSecure ? "https://" : "http://") + authority }
    /// Without the query: for messages and effects.
    package var place: String { origin + path }
    package var text: String { place + (query.map { "?" + $0 } ?? "") }

    /// The address that a redirect names, seen from here.
    package func following(_ location: String) throws(Malformed) -> WebAddress {
        if location.hasPrefix("//") { return try WebAddress((isSecure ? "https:" : "http:") + location) }
        if location.hasPrefix("/") { return try WebAddress(origin + location) }
        return try WebAddress(location)
    }

    /// Is `self` the beginning of `other`: same scheme, host and port, and the same first segments?
    package func begins(_ other: WebAddress) -> Bool {
        guard isSecure == other.isSecure, host == other.host, port == other.port else { return false }
        let fixed = segments.last == "" ? segments.dropLast() : segments[...]
        guard other.segments.starts(with: fixed) else { return false }
        // A slash at the end means: below it.
        return segments.last != "" || other.segments.count > fixed.count
    }
}
