internal import DRActions
internal import DRModel
internal import DRReplication

/// What `drrunbook init` writes: two small sites with a ledger and its storefront, and runbooks that run at once.
public enum Starter {
    /// Writes all files below `folder` (made when missing) and returns their paths in it. Throws `conflict` when any of them exists, and then nothing was
    /// written; `io`, `no-space`.
    public static func write(to folder: String) throws -> [String] {
        let root = PathText.absolute(folder, in: PathText.workingFolder)
        let files = try files()
        let existing = files.map(\.path).filter { TextFile.exists("\(root)/\($0)") }
        guard existing.isEmpty else {
            let named = existing.prefix(3).joined(separator: ", ") + (existing.count > 3 ? " and \(existing.count - 3) more" : "")
            throw DRError(
                .conflict, "\(named) \(existing.count == 1 ? "exists" : "exist") already in \(folder)",
                hint: "nothing was written; name another folder: `drrunbook init DIR`")
        }
        for file in files {
            let path = "\(root)/\(file.path)"
            try NewFile.makeFolders(PathText.folder(of: path), shown: PathText.folder(of: "\(folder)/\(file.path)"))
            try NewFile.write(file.text, to: path, shown: "\(folder)/\(file.path)")
        }
        return files.map(\.path)
    }

    struct File {
        let path: String
        let text: String
    }

    static func files() throws -> [File] {
        [
            File(path: "dr.yaml", text: StarterTexts.configuration),
            File(path: ".gitignore", text: StarterTexts.ignored),
            File(path: ".luarc.json", text: EditorFiles.languageServer),
            File(path: ".luacheckrc", text: try EditorFiles.luacheck()),
            File(path: "runbooks/protect.lua", text: StarterTexts.protect),
            File(path: "runbooks/failover.lua", text: StarterTexts.failover),
            File(path: "runbooks/failback.lua", text: StarterTexts.failback),
            File(path: "runbooks/drill.lua", text: StarterTexts.drill),
            File(path: "runbooks/failover_test.lua", text: StarterTexts.failoverTest),
            File(path: "runbooks/drill_test.lua", text: StarterTexts.drillTest),
            File(path: "runbooks/failback_test.lua", text: StarterTexts.failbackTest),
            File(path: "runbooks/protect_test.lua", text: StarterTexts.protectTest),
            File(path: "runbooks/fixtures/shop.yaml", text: StarterTexts.fixture),
            File(path: "runbooks/lib/say.lua", text: StarterTexts.say),
            File(path: "runbooks/.luals/dr.lua", text: Reference().luaStubs()),
            File(path: "runbooks/.luals/dr.test.lua", text: TestReference.luaStubs()),
            File(path: "objects/.gitkeep", text: ""),
            File(path: "sites/east/cluster.yaml", text: StarterTexts.cluster),
            File(path: "sites/east/resources/shop-db.yaml", text: StarterTexts.database),
            File(path: "sites/east/resources/shop-web.yaml", text: StarterTexts.web),
            File(path: "sites/east/volumes/pg-data/README", text: "The volume of the ledger: whatever lies here moves with it.\n"),
            File(path: "sites/east/volumes/pg-data/ledger/2026-03.csv", text: StarterTexts.entries),
            File(path: "sites/west/cluster.yaml", text: StarterTexts.cluster),
            File(path: "sites/west/resources/.gitkeep", text: ""),
            File(path: "sites/west/volumes/.gitkeep", text: ""),
        ]
    }
}
