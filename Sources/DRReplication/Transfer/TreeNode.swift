internal import DRModel

/// One entry of a volume: everything about a file except its bytes. A block volume is a single file with an empty path.
struct TreeNode: Equatable, Sendable {
    enum Content: Equatable, Sendable {
        case folder
        /// `shared`: other names of the same file follow as `.link`.
        case file(size: Int64, chunkSize: UInt32, shared: Bool)
        /// `shared` as of a file.
        case symlink(target: [UInt8], shared: Bool = false)
        /// Another name of the file or symbolic link that stands earlier under `first`.
        case link(first: [UInt8])
    }

    /// Relative to the volume's folder, `/` between names; empty for the volume itself.
    let path: [UInt8]
    let content: Content
    let mode: UInt32
    let owner: UInt32
    let group: UInt32
    let modified: Instant
    let attributes: [Attribute]

    struct Attribute: Equatable, Sendable {
        let name: [UInt8]
        let value: [UInt8]
    }

    /// Parents before children, siblings bytewise: `/` counts as the lowest byte.
    static func isBefore(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let common = min(a.count, b.count)
        var place = 0
        while place < common, a[place] == b[place] { place += 1 }
        if place == common { return a.count < b.count }
        return rank(a[place]) < rank(b[place])
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }
}

extension TreeNode {
    func write(to writer: inout ByteWriter) {
        switch content {
        case .folder: writer.put(UInt8(0))
        case .file(_, _, let shared): writer.put(UInt8(shared ? 2 : 1))
        case .symlink(_, let shared): writer.put(UInt8(shared ? 5 : 3))
        case .link: writer.put(UInt8(4))
        }
        writer.put(counted: path)
        writer.put(mode)
        writer.put(owner)
        writer.put(group)
        writer.put(modified.nanosecondsSince1970)
        writer.put(UInt32(truncatingIfNeeded: attributes.count))
        for attribute in attributes {
            writer.put(counted: attribute.name)
            writer.put(counted: attribute.value)
        }
        switch content {
        case .folder: break
        case .file(let size, let chunkSize, _):
            writer.put(size)
            writer.put(chunkSize)
        case .symlink(let target, _): writer.put(counted: target)
        case .link(let first): writer.put(counted: first)
        }
    }

    init(reading reader: inout ByteReader) throws(Malformed) {
        let kind = try reader.number(UInt8.self)
        path = try reader.counted()
        mode = try reader.number()
        owner = try reader.number()
        group = try reader.number()
        modified = Instant(nanosecondsSince1970: try reader.number())
        var attributes: [Attribute] = []
        for _ in 0..<(try reader.count(ofItems: 8)) {
            let name = try reader.counted()
            attributes.append(Attribute(name: name, value: try reader.counted()))
        }
        self.attributes = attributes
        switch kind {
        case 0: content = .folder
        case 1, 2:
            let size: Int64 = try reader.number()
            let chunkSize: UInt32 = try reader.number()
            guard MapPage.isPossible(size, chunkSize) else { throw Malformed("a file's size is wrong") }
            content = .file(size: size, chunkSize: chunkSize, shared: kind == 2)
        case 3, 5: content = .symlink(target: try reader.counted(), shared: kind == 5)
        case 4: content = .link(first: try reader.counted())
        default: throw .newer
        }
        guard Self.isSafe(path) else { throw Malformed("a path leads out of the volume") }
    }

    /// Other names of it may follow.
    var isShared: Bool {
        switch content {
        case .file(_, _, let shared), .symlink(_, let shared): shared
        case .folder, .link: false
        }
    }

    /// No `..`, nothing absolute, nothing empty: a map from a store must not be able to name what is outside the volume.
    static func isSafe(_ path: [UInt8]) -> Bool {
        if path.isEmpty { return true }
        // Of the name at hand. Empty, `.` and `..` are those of at most two bytes that are nothing but dots.
        var (length, dots) = (0, 0)
        for byte in path {
            switch byte {
            case 0: return false
            case UInt8(ascii: "/"):
                if length == dots, length <= 2 { return false }
                (length, dots) = (0, 0)
            default:
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            }
        }
        return length != dots || length > 2
    }
}

/// What tells that a file is still the one that was read: any difference means that it must be read again.
struct FileIdentity: Hashable, Sendable {
    static let size = 40
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modified: Instant
    let changed: Instant

    init(_ facts: FileFacts) {
        device = facts.device
        inode = facts.inode
        size = facts.size
        modified = facts.modified
        changed = facts.changed
    }

    init(reading reader: inout ByteReader) throws(Malformed) {
        device = try reader.number()
        inode = try reader.number()
        size = try reader.number()
        modified = Instant(nanosecondsSince1970: try reader.number())
        changed = Instant(nanosecondsSince1970: try reader.number())
    }

    func write(to writer: inout ByteWriter) {
        writer.put(device)
        writer.put(inode)
        writer.put(size)
        writer.put(modified.nanosecondsSince1970)
        writer.put(changed.nanosecondsSince1970)
    }
}
