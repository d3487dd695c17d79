internal import DRModel
internal import DRReplication

/// Files that we write for people: never over one that is there.
enum NewFile {
    /// Durable when it returns. Throws `conflict` when the file exists, `io`, `no-space`.
    static func write(_ text: String, to path: String, shown: String, isExecutable: Bool = false) throws {
        let io = SystemStoreIO()
        do {
            let file = try io.open(StorePath(path), .create, permissions: isExecutable ? 0o755 : 0o644)
            do {
                var bytes = Array(text.utf8)
                try unsafe bytes.withUnsafeMutableBytes { try unsafe file.write(at: 0, UnsafeRawBufferPointer($0)) }
                try file.sync()
            } catch {
                try? file.close()
                throw error
            }
            try file.close()
            try io.syncFolder(StorePath(path).folder)
        } catch let failure as IOFailure {
            switch failure.code {
            case 17: throw DRError(.conflict, "\(shown) exists already", hint: "it is left as it is; name another")
            case 28: throw DRError(.noSpace, "\(shown) cannot be written: \(failure.reason)")
            default: throw DRError(.io, "\(shown) cannot be written: \(failure.reason)")
            }
        }
    }

    /// `isPrivate`: what is made is for nobody but this account.
    static func makeFolders(_ path: String, shown: String, isPrivate: Bool = false) throws {
        let io = SystemStoreIO()
        var missing: [String] = []
        var folder = path
        while !TextFile.exists(folder), folder != "/" {
            missing.append(folder)
            folder = PathText.folder(of: folder)
        }
        do {
            for folder in missing.reversed() {
                try io.makeFolder(StorePath(folder), permissions: isPrivate ? 0o700 : 0o755)
                try io.syncFolder(StorePath(folder).folder)
            }
        } catch let failure as IOFailure {
            throw DRError(failure.code == 28 ? .noSpace : .io, "the folder \(shown) cannot be made: \(failure.reason)")
        }
    }
}
