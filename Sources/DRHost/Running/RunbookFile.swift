internal import DRActions
internal import DRLint
internal import DRModel
internal import DRReplication
internal import DRSupport

/// A runbook on disk, with the modules it may require: `lib/**/*.lua` beside it, or in the nearest folder above that is called `runbooks`. Other files of that folder,
/// runbooks it calls above all, belong to it where `require` names them.
struct RunbookFile {
    /// As it was given; messages name it so.
    let file: String
    let path: String

    static let mostModules = 500

    init(_ file: String, workingFolder: String = PathText.workingFolder) {
        self.file = file
        path = PathText.absolute(file, in: workingFolder)
    }

    /// Throws `invalid-input` with the nearest file's name where there is none.
    func sources() throws -> RunbookSources {
        guard let text = try TextFile.read(path, shown: file) else {
            let siblings = luaFiles(in: PathText.folder(of: path))
            let name = path.split(separator: "/").last.map(String.init) ?? path
            throw DRError(
                .invalidInput, "there is no runbook \(file)\(Spelling.hint(for: name, in: siblings))",
                hint: siblings.isEmpty ? nil : "there are: \(siblings.joined(separator: ", "))")
        }
        let (root, shown) = moduleRoot
        var modules: [String: RunbookSources.Module] = [:]
        try collect(root + "/lib", shown: shown + "lib", name: "lib", into: &modules)
        try follow([text] + modules.values.map(\.text), root, shown, into: &modules)
        let others = luaFiles(in: root).filter { "\(root)/\($0)" != path }.map { String($0.dropLast(4)) }
        return RunbookSources(main: RunbookSources.Module(file: file, text: text), modules: modules, others: others)
    }

    // Only what is named: an edit of a runbook that this one cannot reach says nothing of it.
    private func follow(
        _ texts: [String], _ root: String, _ shown: String, into modules: inout [String: RunbookSources.Module]
    ) throws {
        var texts = texts
        while let text = texts.popLast() {
            for name in LuaRequires.names(in: text).map({ $0.replacing("/", with: ".") }) where modules[name] == nil {
                guard let module = try named(name, root, shown) else { continue }  // `require` says so
                try Self.checkCount(modules, shown)
                modules[name] = module
                texts.append(module.text)
            }
        }
    }

    // No link is followed, so nothing outside the folder is found.
    private func named(_ name: String, _ root: String, _ shown: String) throws -> RunbookSources.Module? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ $0.wholeMatch(of: #/[A-Za-z0-9_-]+/#) != nil }) else { return nil }
        let io = SystemStoreIO()
        var path = root
        for folder in parts.dropLast() {
            path += "/" + folder
            guard try io.facts(StorePath(path))?.kind == .folder else { return nil }
        }
        path = root + "/" + parts.joined(separator: "/") + ".lua"
        guard try io.facts(StorePath(path))?.kind == .file else { return nil }
        let file = shown + parts.joined(separator: "/") + ".lua"
        return try TextFile.read(path, shown: file).map { RunbookSources.Module(file: file, text: $0) }
    }

    private static func checkCount(_ modules: [String: RunbookSources.Module], _ folder: String) throws {
        guard modules.count < mostModules else {
            throw DRError(.limitExceeded, "\(folder) holds more than \(mostModules) modules")
        }
    }

    // The folder as the system knows it, and the same as a prefix in the words of `file`.
    private var moduleRoot: (path: String, shown: String) {
        let own = PathText.folder(of: path)
        let shownOwn = file.contains("/") ? PathText.folder(of: file) : ""
        var folder = own
        let isBeside = (try? SystemStoreIO().facts(StorePath(own + "/lib")))?.kind == .folder  // what cannot be read is told by `collect`
        while !isBeside, folder.count > 1, !folder.hasSuffix("/runbooks") { folder = PathText.folder(of: folder) }
        guard !isBeside, folder.hasSuffix("/runbooks"), folder != own else { return (own, shownOwn.isEmpty ? "" : shownOwn + "/") }
        return (folder, folder + "/")
    }

    private func collect(_ folder: String, shown: String, name: String, into modules: inout [String: RunbookSources.Module]) throws {
        let io = SystemStoreIO()
        guard try io.facts(StorePath(folder))?.kind == .folder else { return }
        for entry in try io.list(StorePath(folder)) {
            guard let part = String(validating: entry, as: UTF8.self), !part.hasPrefix(".") else { continue }
            if part.hasSuffix(".lua") {
                try Self.checkCount(modules, shown)
                let file = "\(shown)/\(part)"
                let facts = try io.facts(StorePath("\(folder)/\(part)"))
                guard facts?.kind == .file else {
                    guard facts != nil else { continue }
                    throw DRError(
                        .invalidInput, "\(file) is a link or no file: what belongs to a runbook is recorded, so no link is followed",
                        hint: "put the file itself there")
                }
                guard let text = try TextFile.read("\(folder)/\(part)", shown: file) else { continue }
                modules["\(name).\(part.dropLast(4))"] = RunbookSources.Module(file: file, text: text)
            } else {
                try collect("\(folder)/\(part)", shown: "\(shown)/\(part)", name: "\(name).\(part)", into: &modules)
            }
        }
    }

    private func luaFiles(in folder: String) -> [String] {
        let entries = (try? SystemStoreIO().list(StorePath(folder))) ?? []
        return entries.compactMap { String(validating: $0, as: UTF8.self) }.filter { $0.hasSuffix(".lua") && !$0.hasSuffix("_test.lua") }
    }
}
