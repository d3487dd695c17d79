internal import DRModel
internal import DRSupport

/// A file of one chunk at most.
struct SmallFile: Sendable {
    let node: TreeNode
    let chunk: PointReader.Wanted?
}

/// Makes files with their bytes and everything that describes them.
struct FileMaker: Sendable {
    let root: StorePath
    let io: any StoreIO
    let loader: ChunkLoader
    let scratches: Scratches
    /// What was written is read again and compared.
    let readsBack: Bool

    func place(_ path: [UInt8]) -> StorePath { path.isEmpty ? root : root / path }

    /// `filling`: what is written next; a file that ends with it need not be made longer first.
    func create(_ node: TreeNode, filling bytes: UnsafeRawBufferPointer? = nil) throws -> any StoreFile {
        let file = try io.open(place(node.path), .create, permissions: 0o600)
        if node.path.isEmpty { try io.dropInheritedAccess(root) }
        guard case .file(let size, _, _) = node.content, size > 0 else { return file }
        let isFilled = unsafe bytes.map { unsafe Int64($0.count) == size && !endsInHole($0) } ?? false
        if !isFilled { try file.truncate(to: size) }
        return file
    }

    private static let block = 4096

    private func endsInHole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[((bytes.count - 1) / Self.block * Self.block)...]))
    }

    func make(_ files: [SmallFile]) throws {
        try scratches.use { scratch in
            var next = 0
            func make(until chunk: PointReader.Wanted?, _ bytes: UnsafeRawBufferPointer?) throws {
                while next < files.count {
                    let file = files[next]
                    if file.chunk != nil, file.chunk?.path != chunk?.path { return }
                    next += 1
                    let content = unsafe file.chunk == nil ? nil : bytes
                    let open = try unsafe create(file.node, filling: content)
                    if let content = unsafe content { try unsafe write(content, to: open, at: 0, file.node) }
                    try close(open, as: file.node)
                }
            }
            try unsafe loader.load(files.compactMap(\.chunk), scratch) { chunk, bytes in try unsafe make(until: chunk, bytes) }
            try make(until: nil, nil)
        }
    }

    /// Chunks side by side are written at once; `over` what stands there, or into a new file.
    func write(_ node: TreeNode, _ file: any StoreFile, _ chunks: [PointReader.Wanted], over: Bool = false) throws {
        guard case .file(_, let chunkSize, _) = node.content else { return }
        guard chunkSize <= Scratch.size else {
            return try scratches.use { scratch in
                try unsafe loader.load(chunks, scratch) { chunk, bytes in
                    try unsafe write(bytes, to: file, at: chunk.index * Int64(chunkSize), over: over, node)
                }
            }
        }
        try scratches.use { scratch in
            var start = 0
            while start < chunks.count {
                let first = chunks[start].index
                var end = start + 1
                while end < chunks.count, chunks[end].index == first + Int64(end - start) { end += 1 }
                try unsafe loader.load(Array(chunks[start..<end]), scratch, place: { Int($0.index - first) * Int(chunkSize) }) { _, _ in }
                let length = (end - start - 1) * Int(chunkSize) + chunks[end - 1].length
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: scratch.buffer[..<length])
                try unsafe write(bytes, to: file, at: first * Int64(chunkSize), over: over, node)
                start = end
            }
        }
    }

    /// What is zero is left a hole, to the block.
    private func write(
        _ bytes: UnsafeRawBufferPointer, to file: any StoreFile, at start: Int64, over: Bool = false, _ node: TreeNode
    ) throws {
        let block = Self.block
        func zero(_ from: Int) -> Bool {
            unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[from..<min(from + block, bytes.count)]))
        }
        var position = 0
        while position < bytes.count {
            let hole = position
            while position < bytes.count, zero(position) { position += block }
            if over, position > hole { try file.clear(start + Int64(hole)..<start + Int64(min(position, bytes.count))) }
            var end = position
            while end < bytes.count, !zero(end) { end += block }
            let until = min(end, bytes.count)
            if position < until {
                try unsafe file.writeThrough(at: start + Int64(position), UnsafeRawBufferPointer(rebasing: bytes[position..<until]))
            }
            position = end
        }
        if readsBack { try unsafe readBack(bytes, from: file, at: start, node) }
    }

    private func readBack(_ bytes: UnsafeRawBufferPointer, from file: any StoreFile, at start: Int64, _ node: TreeNode) throws {
        var piece = [UInt8](repeating: 0, count: min(Scratch.size, bytes.count))
        var position = 0
        while position < bytes.count {
            let count = min(piece.count, bytes.count - position)
            let written = unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
            let isWritten = try unsafe piece.withUnsafeMutableBytes { piece in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: piece[..<count])
                return try unsafe file.read(at: start + Int64(position), into: room) == count
                    && isSame(UnsafeRawBufferPointer(room), written)
            }
            guard isWritten else { throw IOFailure.notAsWritten(place(node.path)) }
            position += count
        }
    }

    func close(_ file: any StoreFile, as node: TreeNode) throws {
        try describe(node, at: place(node.path), file)
        try file.close()
    }

    // A change of owner takes set-user-id bits and capabilities away, and a mode may forbid attributes: hence this order.
    func describe(_ node: TreeNode) throws { try Self.describe(node, at: place(node.path), io) }

    private func describe(_ node: TreeNode, at place: StorePath, _ file: any StoreFile) throws {
        let made = try file.facts()
        if made.owner != node.owner || made.group != node.group { try file.setOwner(node.owner, group: node.group) }
        for attribute in node.attributes { try io.setExtendedAttribute(place, name: attribute.name, value: attribute.value) }
        try file.setPermissions(node.mode)
        try file.setModified(node.modified)
    }

    static func describe(_ node: TreeNode, at place: StorePath, _ io: any StoreIO) throws {
        if let made = try io.facts(place), made.owner != node.owner || made.group != node.group {
            try io.setOwner(place, owner: node.owner, group: node.group)
        }
        for attribute in node.attributes { try io.setExtendedAttribute(place, name: attribute.name, value: attribute.value) }
        if case .symlink = node.content {} else { try io.setPermissions(place, node.mode) }
        try io.setModified(place, node.modified)
    }
}
