import DRHost
import DRModel
import Testing

@Suite struct ResourceConfigurationTests {
    private static let sites = """
        clusters: { east: { directory: e }, west: { directory: w } }
        objectStores: { vault: { directory: o } }

        """

    @Test func `what an application excludes, renames and transforms is read`() throws {
        let configuration = try Configuration.read(
            Self.sites + """
                applications:
                  web:
                    namespaces: [shop-web, shop-api]
                    exclude: { kinds: [HorizontalPodAutoscaler], labels: { tier: scratch } }
                    renamed: { west: { shop-web: dr-web } }
                    transforms:
                      - { at: west, kind: Ingress, path: spec.rules.*.host, replace: east, with: west }
                      - { at: west, kind: ConfigMap, name: site, path: data.region, set: west }
                      - { at: west, kind: Ingress, path: /metadata/annotations/a.b~1c, delete: true }
                """, file: "dr.yaml", folder: "/team")
        let web = try #require(configuration.inventory.application("web"))
        #expect(web.exclude == Exclusion(kinds: ["HorizontalPodAutoscaler"], labels: ["tier": "scratch"]))
        #expect(web.namespaces(at: "west") == ["dr-web", "shop-api"])
        #expect(web.namespaces(at: "east") == ["shop-web", "shop-api"])
        #expect(
            web.transforms == [
                Transform(at: "west", kind: "Ingress", path: "spec.rules.*.host", .replace("east", with: "west")),
                Transform(at: "west", kind: "ConfigMap", name: "site", path: "data.region", .set("west")),
                Transform(at: "west", kind: "Ingress", path: "/metadata/annotations/a.b~1c", .delete),
            ])
        #expect(web.transforms[2].path == ["metadata", "annotations", "a.b/c"])
    }

    @Test func `the rules of clusters and of applications are read`() throws {
        let configuration = try Configuration.read(
            """
            clusters: { east: { directory: e, rules: { hold: [pg, hold, "{application}"], go-on: [pg, go] } } }
            applications: { bank: { namespaces: [bank], rules: { pre: hold, post: go-on } }, web: { namespaces: [web] } }
            """, file: "dr.yaml", folder: "/team")
        #expect(configuration.clusters[0].rules == ["hold": ["pg", "hold", "{application}"], "go-on": ["pg", "go"]])
        #expect(configuration.inventory.application("bank")?.rules == SnapshotRules(pre: "hold", post: "go-on"))
        #expect(configuration.inventory.application("web")?.rules.isEmpty == true)
    }

    @Test func `G8 what cannot be meant is named with its place and the nearest name`() {
        let text =
            Self.sites + """
                applications:
                  web:
                    namespaces: [shop-web, shop-api]
                    renamed: { wset: {}, west: { shop-wbe: a, shop-web: shop-api } }
                    transforms:
                      - { at: wset, kind: Ingress, path: a.b, set: c }
                      - { at: west, kind: Ingress, path: metadata.namespace, set: c }
                      - { at: west, kind: Ingress, path: a.b, set: c, delete: true }
                      - { at: west, kind: Ingress, path: a.b, replace: c }
                  api: { namespaces: [shop-x], renamed: { west: { shop-x: shop-api } }, exclude: { kind: [Job] } }
                """
        let error = #expect(throws: ConfigurationError.self) { try Configuration.read(text, file: "dr.yaml", folder: "/team") }
        let messages = error?.problems.map { "\($0.location.map { "\($0.line): " } ?? "")\($0.message)" } ?? []
        #expect(
            messages == [
                "6: applications.web.renamed.wset: there is no cluster \"wset\" (did you mean \"west\"?)",
                "6: applications.web.renamed.west.shop-wbe: no namespace of web (did you mean \"shop-web\"?)",
                "6: applications.web.renamed.west: two namespaces would have one name",
                "8: applications.web.transforms[0].at: there is no cluster \"wset\" (did you mean \"west\"?)",
                "9: applications.web.transforms[1].path: \"metadata.namespace\" cannot be transformed",
                "10: applications.web.transforms[2]: expected one of set, replace and with, delete",
                "11: applications.web.transforms[3]: expected one of set, replace and with, delete",
                "12: applications.api.exclude: unknown key \"kind\" (did you mean \"kinds\"?)",
                "12: applications.api.renamed.west: web and api would share shop-api",
            ])
    }
}
