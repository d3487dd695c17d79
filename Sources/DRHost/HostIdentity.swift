#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension HostIdentity {
    /// The user the system knows us as (not what a variable says), and the machine's name.
    static var current: HostIdentity {
        HostIdentity(person: person, host: machine, process: getpid())
    }

    private static var person: String {
        guard let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name else { return "uid-\(getuid())" }
        return unsafe String(cString: name)
    }

    private static var machine: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
