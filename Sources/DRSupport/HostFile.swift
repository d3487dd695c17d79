#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small file of the host's own, such as its time zones: no data of anybody's, so no port stands before it.
package enum HostFile {
    /// The whole file; nil when it is not there, is no file, cannot be read, or is longer than `limit`.
    package static func bytes(of path: String, limit: Int) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var found: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            guard count >= 0, found.count + count <= limit else { return nil }
            if count == 0 { return found }
            found.append(contentsOf: buffer[..<count])
        }
    }
}
