internal import DRModel

/// A large file cut into pieces of at most a megabyte, at multiples of its chunks; holes are left out where the filesystem's word on them counts.
struct FileParts {
    private let file: VolumeFile
    private let size: Int64
    private let chunkSize: Int64
    private let hasHoles: Bool
    private var offset: Int64 = 0
    private var data: Range<Int64> = 0..<0

    init(_ file: VolumeFile, size: Int64, chunkSize: Int64, believesHoles: Bool) throws {
        self.file = file
        self.size = size
        self.chunkSize = chunkSize
        hasHoles = try believesHoles && file.hasHoles()
    }

    mutating func next() throws -> Range<Int64>? {
        guard offset < size else { return nil }
        var end = size
        if hasHoles {
            if offset >= data.upperBound {
                guard let found = try file.nextData(from: offset) else {
                    offset = size
                    return nil
                }
                data = found
                offset = max(offset, data.lowerBound / chunkSize * chunkSize)
            }
            end = min(size, (data.upperBound + chunkSize - 1) / chunkSize * chunkSize)
        }
        // Pieces end at multiples of a megabyte, whatever began them.
        let most = (offset / Int64(Scratch.size) + 1) * Int64(Scratch.size)
        let piece = offset..<max(offset + 1, min(end, most, size))
        offset = piece.upperBound
        return piece
    }
}

/// Where a clone shares its blocks with the one that the cache describes.
struct Unchanged {
    private let changed: [Range<Int64>]?
    private let chunkSize: Int64
    private var next = 0

    /// `changed`: nil when the filesystem did not tell.
    init(_ changed: [Range<Int64>]?, chunkSize: Int64) {
        self.changed = changed
        self.chunkSize = chunkSize
    }

    /// The longest beginning of a range, in whole chunks, of which all or nothing may have changed; ranges must rise.
    mutating func beginning(of range: Range<Int64>) -> Range<Int64> {
        guard let changed else { return range }
        pass(range.lowerBound)
        guard next < changed.count, changed[next].lowerBound < range.upperBound else { return range }
        let same = changed[next].lowerBound / chunkSize * chunkSize
        if same > range.lowerBound { return range.lowerBound..<same }
        var end = range.lowerBound
        for piece in changed[next...] {
            guard piece.lowerBound / chunkSize * chunkSize <= end, end < range.upperBound else { break }
            end = (piece.upperBound + chunkSize - 1) / chunkSize * chunkSize
        }
        return range.lowerBound..<min(end, range.upperBound)
    }

    private mutating func pass(_ offset: Int64) {
        while let changed, next < changed.count, changed[next].upperBound <= offset { next += 1 }
    }

    /// What is known of all chunks of a range that does not touch what changed; ranges must rise.
    mutating func take(_ range: Range<Int64>, _ known: [PriorIndex.Chunk?]) -> [ScannedChunk]? {
        guard let changed else { return nil }
        pass(range.lowerBound)
        guard next == changed.count || changed[next].lowerBound >= range.upperBound else { return nil }
        let first = range.lowerBound / chunkSize
        var chunks: [ScannedChunk] = []
        for (offset, chunk) in known.enumerated() {
            // What was zero is zero.
            guard let chunk else { continue }
            guard let mark = chunk.mark else { return nil }
            chunks.append(ScannedChunk(index: first + Int64(offset), hash: chunk.hash, mark: mark, location: chunk.location))
        }
        return chunks
    }
}

/// First in, first out.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var start = 0

    var count: Int { elements.count - start }
    var first: Element? { start < elements.count ? elements[start] : nil }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst() {
        elements[start] = nil
        start += 1
        if start > 1024, start * 2 > elements.count {
            elements.removeFirst(start)
            start = 0
        }
    }
}
