#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Paths as text: absolute, without `.` and `..`.
enum PathText {
    static var workingFolder: String {
        guard let found = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    /// `path` seen from `folder`; `folder` is absolute.
    static func absolute(_ path: String, in folder: String) -> String {
        var kept: [Substring] = []
        for part in ((path.hasPrefix("/") ? "" : folder + "/") + path).split(separator: "/") where part != "." {
            if part == ".." { _ = kept.popLast() } else { kept.append(part) }
        }
        return "/" + kept.joined(separator: "/")
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func isInside(_ path: String, _ folder: String) -> Bool {
        let path = real(path), folder = real(folder)
        return path == folder || path.hasPrefix(folder == "/" ? "/" : folder + "/")
    }

    /// With symbolic links followed as far as the path exists.
    static func real(_ path: String) -> String {
        var existing = path
        var rest: [String] = []
        while true {
            if let found = unsafe realpath(existing, nil) {
                defer { unsafe free(found) }
                return absolute(rest.reversed().joined(separator: "/"), in: unsafe String(cString: found))
            }
            guard existing.count > 1, let slash = existing.lastIndex(of: "/") else { return path }
            rest.append(String(existing[existing.index(after: slash)...]))
            existing = slash == existing.startIndex ? "/" : String(existing[..<slash])
        }
    }
}
