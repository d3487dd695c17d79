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

    func check(_ address: WebAddress) throws {
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
