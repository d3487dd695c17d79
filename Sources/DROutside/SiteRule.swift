public import DRModel
internal import DRHTTP
internal import DRSupport

/// Which addresses dr.yaml lets a runbook ask.
struct SiteRule {
    let allowances: Allowances

    /// Throws `invalid-input` for what is no URL, `not-allowed` with the nearest entry and its place.
    func address(_ text: String) throws -> WebAddress {
        let address: WebAddress
        do { address = try WebAddress(text) } catch {
            throw DRError(.invalidInput, "\"\(text.prefix(200))\" is no URL that can be asked: \(error.reason)")
        }
        try check(address)
        return address
    }

    // Servers that take parameters off a segment, or decode it once more, walk up where the text does not.
    private static func isWayUp(_ segment: String) -> Bool {
        var text = segment
        for _ in 0..<4 {
            let name = text.prefix { $0 != ";" }
            if name == "." || name == ".." || text.contains("/") || text.contains("\\") { return true }
            guard let decoded = text.removingEscapes, decoded != text else { return false }
            text = decoded
        }
        return true
    }

    func check(_ address: WebAddress) throws {
        guard !address.segments.contains(where: Self.isWayUp) else {
            throw DRError(
                .invalidInput, "\(address.place) cannot be asked: some servers read a segment of its path as . or ..",
                hint: "what stands after ; and what is escaped twice is looked at as such servers do")
        }
        let sites = allowances.sites.compactMap { site in (try? WebAddress(site.url)).map { (site, $0) } }
        if sites.contains(where: { $0.1.begins(address) }) { return }
        let nearest =
            sites.first { $0.1.host == address.host }?.0
            ?? Spelling.nearest(to: address.place, in: sites.map(\.0.url)).flatMap { near in allowances.sites.first { $0.url == near } }
        throw DRError(
            .notAllowed, "\(allowances.file) does not allow \(address.place)",
            hint: nearest.map { "nearest: \($0.url) (\(allowances.place($0.location)))" }
                ?? (sites.isEmpty
                    ? "add the beginning of its URL under `allow: http`" : "allowed: \(sites.map(\.0.url).joined(separator: ", "))"))
    }
}

extension Allowances.Site {
    /// Why a text cannot stand under `allow: http`; nil when it can.
    public static func problem(_ url: String) -> String? {
        do {
            return try WebAddress(url).query == nil ? nil : "it holds a query: expected scheme, host and the beginning of a path"
        } catch {
            return error.reason
        }
    }
}

extension String {
    /// With the escapes `%XX` of its path undone once; nil where that is no text.
    fileprivate var removingEscapes: String? {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
