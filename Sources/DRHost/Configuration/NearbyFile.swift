internal import DRModel
internal import DRReplication
internal import DRSupport

/// The file somebody most likely meant who named one that is not there.
enum NearbyFile {
    /// ` (did you mean "x"?)` with a name from the folder the file would lie in, or the empty string.
    static func hint(for path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let entries = (try? SystemStoreIO().list(StorePath(PathText.folder(of: path)))) ?? []  // a folder that is not there holds nothing
        return Spelling.hint(for: name, in: entries.compactMap { String(validating: $0, as: UTF8.self) })
    }

    /// The same for a path as it was given on the command line.
    static func hint(forGiven path: String) -> String { hint(for: PathText.absolute(path, in: PathText.workingFolder)) }
}
