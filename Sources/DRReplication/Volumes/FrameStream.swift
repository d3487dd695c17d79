internal import Crypto
internal import DRModel

/// Writes a file of our own as frames: a length, then as many bytes. The end and a checksum of everything come last, so that a torn file is known.
final class FrameWriter {
    private let file: any StoreFile
    private var buffer = ByteWriter()
    private var offset: Int64 = 0
    private var hasher = SHA256()

    init(_ file: any StoreFile) { self.file = file }

    func write(_ frame: [UInt8]) throws {
        buffer.put(counted: frame)
        if buffer.bytes.count >= 1 << 18 { try flush() }
    }

    /// Nothing can be written afterwards. The caller syncs and closes the file.
    func finish() throws {
        buffer.put(UInt32.max)
        try flush()
        buffer.put(ContentHash(hasher.finalize()))
        try flush()
    }

    private func flush() throws {
        try unsafe buffer.bytes.withUnsafeBytes { bytes in
            unsafe hasher.update(bufferPointer: bytes)
            try unsafe file.write(at: offset, bytes)
        }
        offset += Int64(buffer.bytes.count)
        buffer.bytes.removeAll(keepingCapacity: true)
    }
}

/// Reads the frames of a FrameWriter, holding one and a read buffer in memory.
final class FrameReader {
    private let file: any StoreFile
    private var buffer: [UInt8] = []
    private var used = 0
    /// What is used of the buffer and stands in the checksum already.
    private var hashed = 0
    private var offset: Int64 = 0
    private var hasher = SHA256()

    init(_ file: any StoreFile) { self.file = file }

    /// Nil after the last frame. Throws `Malformed` when the file was torn or damaged: known for certain only at the end.
    func next() throws -> [UInt8]? {
        guard try fill(4) else { throw Malformed("it ends too early") }
        var header = ByteReader(buffer, from: used)
        let length = try header.number(UInt32.self)
        guard length != UInt32.max else {
            used += 4
            hashUsed()
            let sum = ContentHash(hasher.finalize())
            guard try fill(ContentHash.size), ContentHash(raw: buffer[used..<used + ContentHash.size]) == sum else {
                throw Malformed("its checksum is wrong")
            }
            return nil
        }
        guard length <= 1 << 28, try fill(4 + Int(length)) else { throw Malformed("it ends too early") }
        let frame = Array(buffer[(used + 4)..<(used + 4 + Int(length))])
        used += 4 + Int(length)
        return frame
    }

    private func hashUsed() {
        unsafe buffer[hashed..<used].withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
        hashed = used
    }

    private func fill(_ count: Int) throws -> Bool {
        guard buffer.count - used < count else { return true }
        hashUsed()
        buffer.removeFirst(used)
        (used, hashed) = (0, 0)
        while buffer.count < count {
            var more = [UInt8](repeating: 0, count: max(1 << 18, count - buffer.count))
            let read = try unsafe more.withUnsafeMutableBytes { try unsafe file.read(at: offset, into: $0) }
            guard read > 0 else { return false }
            buffer.append(contentsOf: more[..<read])
            offset += Int64(read)
        }
        return true
    }
}
