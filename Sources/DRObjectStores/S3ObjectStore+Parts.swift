internal import DRHTTP
internal import DRModel
internal import DRSupport

// Objects that are sent in parts: nothing is there before the last step, which is conditional like any other write.
extension S3ObjectStore {
    func putParts(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        // Not needed for the result, but it saves sending what is there.
        if try await exists(name) { return false }
        let (begun, _) = try await ask("POST", name, query: [("uploads", "")], headers: [("x-amz-checksum-algorithm", "SHA256")])
        guard begun.status == 200, let upload = S3Document(begun.body).text(of: "UploadId") else { throw refused(begun, "write \(name)") }
        do {
            let parts = try await sendParts(of: bytes, to: name, upload)
            let (answer, isRepeated) = try await ask(
                "POST", name, query: [("uploadId", upload)], headers: [("If-None-Match", "*"), ("Content-Type", "application/xml")],
                body: Array(Self.completion(parts).utf8))
            // An error may come with status 200 after a long wait.
            if answer.status == 200, S3Document(answer.body).text(of: "Code") != nil { throw refused(answer, "write \(name)") }
            // Completed by the attempt whose answer was lost: the upload is gone.
            if answer.status == 404, isRepeated { return try await get(name) == bytes }
            let isOurs = try await written(name, bytes, answer, isRepeated)
            if !isOurs { await abandon(name, upload) }
            return isOurs
        } catch {
            await abandon(name, upload)
            throw error
        }
    }

    private struct Part: Sendable {
        let number: Int
        let tag: String
        let checksum: String
    }

    private func sendParts(of bytes: [UInt8], to name: String, _ upload: String) async throws -> [Part] {
        let count = (bytes.count + limits.partSize - 1) / limits.partSize
        return try await withThrowingTaskGroup(of: Part.self) { group in
            var parts: [Part] = []
            for number in 1...count {
                if number > limits.parallelParts, let part = try await group.next() { parts.append(part) }
                let range = (number - 1) * limits.partSize..<min(number * limits.partSize, bytes.count)
                group.addTask { try await sendPart(Array(bytes[range]), number, to: name, upload) }
            }
            for try await part in group { parts.append(part) }
            return parts.sorted { $0.number < $1.number }
        }
    }

    private func sendPart(_ bytes: [UInt8], _ number: Int, to name: String, _ upload: String) async throws -> Part {
        let checksum = Self.checksum(bytes)
        let (answer, _) = try await ask(
            "PUT", name, query: [("partNumber", String(number)), ("uploadId", upload)], headers: [("x-amz-checksum-sha256", checksum)],
            body: bytes)
        guard answer.status == 200, let tag = answer.header("etag") else { throw refused(answer, "write part \(number) of \(name)") }
        return Part(number: number, tag: tag, checksum: checksum)
    }

    private static func completion(_ parts: [Part]) -> String {
        let list = parts.map { part in
            "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(part.tag.replacing("\"", with: "&quot;"))</ETag>"
                + "<ChecksumSHA256>\(part.checksum)</ChecksumSHA256></Part>"
        }
        return "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list.joined())</CompleteMultipartUpload>"
    }

    // Parts of an upload that is not ended are paid for. What cannot be abandoned now is what a bucket's lifecycle rule is for.
    private func abandon(_ name: String, _ upload: String) async { _ = try? await ask("DELETE", name, query: [("uploadId", upload)]) }
}
