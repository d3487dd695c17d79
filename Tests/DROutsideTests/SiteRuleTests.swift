import DRHTTP
import DRModel
import Testing

@testable import DROutside

@Suite struct SiteRuleTests {
    private func rule(_ sites: String...) -> SiteRule {
        var allowances = Allowances()
        allowances.sites = sites.enumerated().map { Allowances.Site(url: $1, location: SourceLocation(file: "dr.yaml", line: 20 + $0)) }
        return SiteRule(allowances: allowances)
    }

    @Test(arguments: [
        "https://lb.example.com/pools/shop", "https://LB.example.com:443/pools/shop?x=1", "HTTPS://lb.example.com/pools/a/b",
        "https://lb.example.com/p%6Fols/a", "https://lb.example.com/pools/", "https://lb.example.com/pools/a;v=1/100%25/..a/b%2520c",
    ])
    func `what begins as allowed may be asked`(url: String) throws {
        let address = try rule("https://lb.example.com/pools/").address(url)
        #expect(address.text.hasPrefix("https://lb.example.com/pools/"))
    }

    @Test(arguments: [
        "https://lb.example.com/poolsx", "https://lb.example.com/pools", "https://lb.example.com/", "https://lb.example.com",
        "https://lb.example.com.evil.org/pools/a", "https://evil.org/pools/a", "http://lb.example.com/pools/a",
        "https://lb.example.com:8443/pools/a", "https://lb.example.com/Pools/a",
    ])
    func `G7 what only looks like it is not allowed, and the nearest entry is named`(url: String) {
        #expect { try rule("https://lb.example.com/pools/").address(url) } throws: { error in
            guard let error = error as? DRError else { return false }
            return error.code == .notAllowed && error.hint?.contains("dr.yaml:20") ?? false
                || error.hint?.contains("https://lb.example.com/pools/") ?? false
        }
    }

    @Test(arguments: [
        "https://user@lb.example.com/pools/a", "https://lb.example.com@evil.org/pools/a", "https://lb.example.com/pools/../admin",
        "https://lb.example.com/pools/%2e%2e/admin", "https://lb.example.com/pools/%2E./admin", "https://lb.example.com/pools/..%2fadmin",
        "https://lb.example.com/pools\\..\\admin", "https://lb.example.com//pools/a", "https://lb.example.com/pools/a#x",
        "https://lb.example.com/pools/a b", "https://lb.example.com/pools/\r\nX: y", "https://lb.example.com:/pools/a",
        "https://lb.example.com:0443x/pools/a", "https://lb.example.com./pools/a", "https:///pools/a", "ftp://lb.example.com/pools/a",
        "file:///etc/passwd", "lb.example.com/pools/a", "https://lb.example.com/pools/%zz", "https://lb.example.com/pools/%00",
        "https://lb.example.com/pools/..;/admin", "https://lb.example.com/pools/..%3Bx=1/admin", "https://lb.example.com/pools/.;/x",
        "https://lb.example.com/pools/%252e%252e/admin", "https://lb.example.com/pools/%25252e./admin",
        "https://lb.example.com/pools/..%252fadmin",
        "https://lb.exämple.com/pools/", "https://[::1/pools/a", "https://[::1]x/pools/a", "",
    ])
    func `G7 what could be read in two ways is refused`(url: String) {
        #expect { try rule("https://lb.example.com/pools/").address(url) } throws: { code($0) == .invalidInput }
    }

    @Test func `a prefix without a slash at its end ends at a segment`() throws {
        let rule = rule("https://h/api")
        for url in ["https://h/api", "https://h/api/", "https://h/api/x", "https://h/api?x"] { _ = try rule.address(url) }
        #expect { try rule.address("https://h/apix") } throws: { code($0) == .notAllowed }
        _ = try self.rule("https://h").address("https://h/anything")
        _ = try self.rule("http://[::1]:8080/").address("http://[::1]:8080/a")
    }

    @Test func `what stands in dr.yaml is read by the same rule`() {
        #expect(Allowances.Site.problem("https://lb.example.com/pools/") == nil)
        #expect(Allowances.Site.problem("lb.example.com") != nil)
        #expect(Allowances.Site.problem("https://x/../y") != nil)
        #expect(Allowances.Site.problem("https://x/?a=1") != nil)
    }
}
