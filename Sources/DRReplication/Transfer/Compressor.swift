internal import CStorage

/// How the bytes of a chunk or a page are stored. The numbers are part of the format.
enum Codec: UInt8, Sendable {
    case raw = 0
    case zstd = 1
}

/// zstd with its working memory kept from call to call. For one thread at a time.
@safe final class Compressor {
    private let state: UnsafeMutableRawPointer

    init() {
        guard let state = unsafe cstorage_compressor_new() else { preconditionFailure("no memory for compression") }
        unsafe self.state = unsafe state
    }

    deinit { unsafe cstorage_compressor_free(state) }

    /// The bytes to store: compressed when that saves at least a sixteenth, else as they are.
    func pack(_ bytes: UnsafeRawBufferPointer) -> (codec: Codec, stored: [UInt8]) {
        let limit = bytes.count - bytes.count / 16 - 1
        if limit > 0, let start = bytes.baseAddress {
            var size = 0
            let compressed = unsafe [UInt8](unsafeUninitializedCapacity: limit) { target, count in
                if let to = target.baseAddress { size = unsafe cstorage_compress(state, to, limit, start, bytes.count, 1) }
                count = size
            }
            if size > 0 { return (.zstd, compressed) }
        }
        return (.raw, unsafe Array(bytes))
    }

    /// Throws `Malformed` when the stored bytes do not give exactly `length` bytes.
    func unpack(_ stored: UnsafeRawBufferPointer, _ codec: Codec, length: Int) throws(Malformed) -> [UInt8] {
        switch codec {
        case .raw:
            guard stored.count == length else { throw Malformed("its length is wrong") }
            return unsafe Array(stored)
        case .zstd:
            var succeeded = false
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { target, count in
                if let to = target.baseAddress, let from = stored.baseAddress {
                    succeeded = unsafe cstorage_decompress(state, to, length, from, stored.count) == 1
                }
                count = succeeded ? length : 0
            }
            guard succeeded else { throw Malformed("it cannot be decompressed") }
            return bytes
        }
    }
}

func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    return unsafe cstorage_is_zero(start, bytes.count) == 1
}
