import Foundation
import Testing

/// A command on a terminal of its own.
struct Terminal {
    let process = Process()
    let master: FileHandle
    private(set) var text = ""

    /// `output`: a file of the shop that takes what it says on standard output.
    init(_ shop: ShopFixture, _ arguments: String..., output: String? = nil) throws {
        var (master, slave): (Int32, Int32) = (-1, -1)
        try #require(openpty(&master, &slave, nil, nil, nil) == 0)
        self.master = FileHandle(fileDescriptor: master, closeOnDealloc: true)
        let end = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
        process.executableURL = ShopFixture.executable
        process.arguments = arguments
        process.currentDirectoryURL = shop.folder
        process.standardInput = end
        process.standardError = end
        process.standardOutput = FileHandle.nullDevice
        if let output {
            try shop.write(output, "")
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: shop.file(output)))
        }
        try process.start()
    }

    mutating func wait(for words: String) {
        while !text.contains(words) {
            let data = master.availableData
            guard !data.isEmpty else { return }
            text += String(decoding: data, as: UTF8.self)
        }
    }
}
