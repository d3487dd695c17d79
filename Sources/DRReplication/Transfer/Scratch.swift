internal import CStorage
internal import DRSupport

/// What one thread needs to work on chunks: two megabytes that start at a page, and a compressor.
@safe final class Scratch: @unchecked Sendable {
    /// A multiple of every chunk size that is written.
    static let size = 1 << 20

    let compressor = Compressor()
    private let memory: UnsafeMutableRawPointer

    init() {
        guard let memory = unsafe cstorage_aligned(2 * Self.size) else { preconditionFailure("no memory for a buffer") }
        unsafe self.memory = unsafe memory
    }

    deinit { unsafe cstorage_free(memory) }

    var buffer: UnsafeMutableRawBufferPointer { unsafe UnsafeMutableRawBufferPointer(start: memory, count: Self.size) }
    /// Another megabyte.
    var second: UnsafeMutableRawBufferPointer { unsafe UnsafeMutableRawBufferPointer(start: memory + Self.size, count: Self.size) }
}

/// Scratches for as many threads as ask at once.
final class Scratches: Sendable {
    private let free = Lock<[Scratch]>([])

    func use<Result>(_ body: (Scratch) throws -> Result) rethrows -> Result {
        let scratch = free.withLock { $0.popLast() } ?? Scratch()
        defer { free.withLock { $0.append(scratch) } }
        return try body(scratch)
    }
}
