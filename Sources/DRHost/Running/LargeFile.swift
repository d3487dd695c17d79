internal import DRModel
internal import DRReplication

/// Text of any size.
enum LargeFile {
    static func read(_ path: String) throws -> String? {
        let io = SystemStoreIO()
        do {
            guard let facts = try io.facts(StorePath(path)) else { return nil }
            let file = try io.open(StorePath(path), .read, permissions: 0)
            var bytes = [UInt8](repeating: 0, count: Int(facts.size))
            let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
            try file.close()
            return String(validating: bytes[..<count], as: UTF8.self)
        } catch let failure as IOFailure {
            throw DRError(.io, "\(path) cannot be read: \(failure)")
        }
    }
}
