internal import DRActions
internal import DRModel
internal import DRSupport
internal import LuaBridge

/// What tests ran of a runbook or a module.
public struct CoveredFile: Sendable {
    /// As seen from the working folder.
    public let file: String
    /// Each line that can run, and how often it was come to.
    public let hits: [Int: Int]

    /// How many lines can run.
    public var lines: Int { hits.count }
    /// How many did.
    public var covered: Int { hits.values.count { $0 > 0 } }
    /// Whole percent, rounded down: 100 only when nothing was missed.
    public var percent: Int { lines == 0 ? 100 : covered * 100 / lines }

    /// Lines that could run and did not; what lies between them and cannot run joins them.
    public var missed: [ClosedRange<Int>] {
        var ranges: [ClosedRange<Int>] = []
        var isOpen = false
        for line in hits.keys.sorted() {
            if hits[line] == 0 {
                if isOpen, let last = ranges.popLast() { ranges.append(last.lowerBound...line) } else { ranges.append(line...line) }
            }
            isOpen = hits[line] == 0
        }
        return ranges
    }

    /// `3, 12-14`.
    public var missedText: String {
        missed.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
    }
}

extension CoveredFile {
    /// In the form of LCOV, which editors and CI servers read. Paths are absolute.
    public static func lcov(_ files: [CoveredFile]) -> String {
        files.map { file in
            let lines = file.hits.sorted { $0.key < $1.key }.map { "DA:\($0.key),\($0.value)\n" }.joined()
            return
                "TN:\nSF:\(PathText.absolute(file.file, in: PathText.workingFolder))\n\(lines)LF:\(file.lines)\nLH:\(file.covered)\nend_of_record\n"
        }.joined()
    }

    /// One a file, by name; `runbooks` that nothing has loaded stand there with none of their lines. Throws `runbook` where one of them cannot be loaded.
    static func files(_ coverage: LuaCoverage, runbooks: [String]) throws -> [CoveredFile] {
        let folder = PathText.workingFolder
        let loaded = Set(coverage.chunks.map { PathText.absolute($0.name, in: folder) })
        let lua = Lua(coverage: coverage)
        for runbook in runbooks where !loaded.contains(PathText.absolute(runbook, in: folder)) {
            guard let text = try TextFile.read(PathText.absolute(runbook, in: folder), shown: runbook) else { continue }
            do { _ = try lua.load(text, name: runbook) } catch {
                let error = DRError(script: error)
                throw DRError(.runbook, error.message, hint: error.hint, location: error.location)
            }
        }
        var found: [String: [Int: Int]] = [:]
        for chunk in coverage.chunks {
            found[PathText.absolute(chunk.name, in: folder), default: [:]].merge(chunk.hits, uniquingKeysWith: +)
        }
        return found.sorted { $0.key < $1.key }.map { path, hits in
            CoveredFile(file: path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path, hits: hits)
        }
    }
}
