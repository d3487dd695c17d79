internal import CStorage

/// How the bytes of a chunk or a page are stored. The numbers are part of the format.
enum Codec: UInt8, Sendable {
    case raw = 0
    case zstd = 1
}

/// zstd with its working memory kept from call to call. For one thread at a time.
@safe final class Compressor {
    private let state: UnsafeMutableRawPointer
    private var room: [UInt8] = []

    init() {
        guard let state = unsafe cstorage_compressor_new() else { preconditionFailure("no memory for compression") }
        unsafe self.state = unsafe state
    }

    deinit { unsafe cstorage_compressor_free(state) }

    /// Gives the bytes to store, until it returns: compressed when that saves at least a sixteenth, else as they are.
    func pack<Result>(_ bytes: UnsafeRawBufferPointer, _ body: (Codec, UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let limit = bytes.count - bytes.count / 16 - 1
        guard limit > 0, let start = bytes.baseAddress else { return try unsafe body(.raw, bytes) }
        if room.count < limit { room = [UInt8](repeating: 0, count: limit) }
        let size = unsafe room.withUnsafeMutableBytes { room in
            unsafe room.baseAddress.map { unsafe cstorage_compress(state, $0, limit, start, bytes.count, 1) } ?? 0
        }
        guard size > 0 else { return try unsafe body(.raw, bytes) }
        return try unsafe room.withUnsafeBytes { try unsafe body(.zstd, UnsafeRawBufferPointer(rebasing: $0[..<size])) }
    }

    /// Fills `target` with the bytes that were stored. Throws `Malformed` when they do not give exactly as many.
    func unpack(_ stored: UnsafeRawBufferPointer, _ codec: Codec, into target: UnsafeMutableRawBufferPointer) throws(Malformed) {
        guard let to = target.baseAddress, let from = stored.baseAddress else { throw Malformed("its length is wrong") }
        switch codec {
        case .raw:
            guard stored.count == target.count else { throw Malformed("its length is wrong") }
            unsafe to.copyMemory(from: from, byteCount: stored.count)
        case .zstd:
            guard unsafe cstorage_decompress(state, to, target.count, from, stored.count) == 1 else {
                throw Malformed("it cannot be decompressed")
            }
        }
    }

    func unpack(_ stored: UnsafeRawBufferPointer, _ codec: Codec, length: Int) throws(Malformed) -> [UInt8] {
        guard length > 0, length <= 1 << 28 else { throw Malformed("its length is wrong") }
        var failure: Malformed?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { target, count in
            do throws(Malformed) {
                try unsafe unpack(
                    stored, codec, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<length]))
                count = length
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}

func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    return unsafe cstorage_is_zero(start, bytes.count) == 1
}
