internal import DRModel
internal import DRSupport

extension VolumeScan {
    /// The cache that the catalogue speaks of cannot be read any more.
    struct LostCache: Error {
        let volume: VolumeName
        var asError: DRError {
            DRError(.damaged, "the scan cache of volume \(volume) was damaged since it was captured", hint: "migrate again")
        }
    }

    /// What a scan found, in the order of the catalogue, until it is put into pages.
    enum Item {
        case node(TreeNode, FileIdentity)
        case chunks([ScannedChunk])
        case piece(Ticket<ChunkReader.Piece>)
        case whole(Batch, Int)
        case end(VolumeFile)
        case page(CachedPage)
        case part(PriorIndex.Part)
    }

    /// Small files that one worker reads, one after the other.
    final class Batch {
        var files: [ChunkReader.Whole] = []
        var bytes: Int64 = 0
        var ticket: Ticket<[ChunkReader.Piece]>?
    }
}
