package import DRModel
internal import DRSupport

/// Where an embedded cluster keeps live volumes and what will become one.
///
///     volumes/NAME/                     a live filesystem volume
///     volumes/NAME.img                  a live block volume
///     .dr/staging/KEY/NAME[.img]        a volume that a commit may swap in; after the swap, what was live before
///     .dr/staging/KEY.capture/N/NAME/   what a capture froze of a live volume; N is another one each time
///
/// KEY is the first 16 hex digits of the SHA-256 of the operation's key. The kind shows in the file: a folder is a filesystem volume, a file an image.
package struct StagingLayout: Sendable {
    package let cluster: StorePath

    package init(cluster: StorePath) { self.cluster = cluster }

    package var volumes: StorePath { cluster / "volumes" }
    package var staging: StorePath { cluster / ".dr" / "staging" }

    package func live(_ volume: VolumeName, _ kind: VolumeKind) -> StorePath { volumes / Self.fileName(volume, kind) }
    package func folder(of key: OperationKey) -> StorePath { staging / Self.folderName(key) }
    package func captures(of key: OperationKey) -> StorePath { staging / (Self.folderName(key) + ".capture") }
    package func staged(_ volume: VolumeName, _ kind: VolumeKind, key: OperationKey) -> StorePath {
        folder(of: key) / Self.fileName(volume, kind)
    }
    /// The clone that a scan cache describes, by the record that the cache belongs to.
    func base(_ volume: VolumeName, _ record: ContentHash) -> StorePath { bases(volume) / record.hex }
    // No volume's name begins with a dot.
    func bases(_ volume: VolumeName) -> StorePath { cluster / ".dr" / "scan" / ".base" / volume.text }
    package func captured(_ volume: VolumeName, key: OperationKey, attempt: String) -> StorePath {
        captures(of: key) / attempt / volume.text
    }

    /// The live volume, whatever its kind. Throws `volume-unsupported` when it is neither a folder nor an image, or both.
    package func findLive(_ volume: VolumeName, io: any StoreIO) throws -> (path: StorePath, kind: VolumeKind)? {
        try find(volume, at: volumes, io: io)
    }

    /// What is staged for the volume: before the swap the new one, after it the old one (if there was any).
    package func findStaged(_ volume: VolumeName, key: OperationKey, io: any StoreIO) throws -> (path: StorePath, kind: VolumeKind)? {
        try find(volume, at: folder(of: key), io: io)
    }

    private func find(_ volume: VolumeName, at folder: StorePath, io: any StoreIO) throws -> (path: StorePath, kind: VolumeKind)? {
        let tree = folder / Self.fileName(volume, .filesystem)
        let image = folder / Self.fileName(volume, .block)
        let treeKind = try io.facts(tree)?.kind
        // `NAME.img` may be the folder of a volume that is called so: only a file is NAME's image.
        let imageKind = try io.facts(image)?.kind
        switch (treeKind, imageKind) {
        case (.folder, .file):
            throw DRError(
                .volumeUnsupported, "volume \(volume) is there twice: \(tree) and \(image)", hint: "remove the one that is not in use")
        case (.folder, _): return (tree, .filesystem)
        case (nil, .file), (.file, .file): return (image, .block)
        case (nil, nil), (nil, .folder): return nil
        case (nil, .some(let other)):
            throw DRError(.volumeUnsupported, "\(image) is a \(other.rawValue)", hint: "a block volume is a file NAME.img")
        case (.some(let other), _):
            // A volume `a.img` asked for beside the image of a volume `a`.
            if other == .file, volume.text.hasSuffix(".img") { return nil }
            throw DRError(
                .volumeUnsupported, "\(tree) is a \(other.rawValue)",
                hint: "a volume is a folder NAME/ (filesystem) or a file NAME.img (block)")
        }
    }

    private static func fileName(_ volume: VolumeName, _ kind: VolumeKind) -> String {
        kind == .block ? volume.text + ".img" : volume.text
    }

    private static func folderName(_ key: OperationKey) -> String { String(Digest.hex(of: key.text).prefix(16)) }
}
