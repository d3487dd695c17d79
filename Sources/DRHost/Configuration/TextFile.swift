internal import DRModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Text files of the user's: dr.yaml, runbooks, parameters.
enum TextFile {
    /// More than anyone writes by hand.
    static let largest = 8 << 20

    /// Nil when there is no such file. Throws `io`, `invalid-input` for what is no text; the messages name `shown`.
    static func read(_ path: String, shown: String) throws(DRError) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure(shown)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = systemRead(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(shown)
            }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= largest else {
                throw DRError(.invalidInput, "\(shown) is larger than \(ByteCount(largest)): expected a text file")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DRError(.invalidInput, "\(shown) is not UTF-8 text")
        }
        return text
    }

    static func exists(_ path: String) -> Bool {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0
    }

    private static func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8], _ count: Int) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.read(descriptor, &buffer, count)
        #elseif canImport(Darwin)
            unsafe Darwin.read(descriptor, &buffer, count)
        #endif
    }

    private static func failure(_ shown: String) -> DRError {
        let reason = unsafe String(cString: strerror(errno))
        return DRError(.io, "\(shown) cannot be read: \(reason)")
    }
}
