import DRModel
import Foundation
import Testing

@testable import DROutside

@Suite struct WebTests {
    private static func place(_ server: WebServer, _ paths: String...) throws -> Place {
        let place = try Place()
        for path in paths {
            place.allowances.sites.append(
                Allowances.Site(url: server.url(path), location: SourceLocation(file: "dr.yaml", line: 12)))
        }
        return place
    }

    private func count(_ place: Place, _ server: WebServer) async throws -> Int {
        let answer = try await place.outside().request(WebOrder(url: server.url("/count")), Place.call())
        return try Value(json: answer.body).list?.count ?? -1
    }

    @Test func `a request arrives as it was meant, and its answer comes back`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/")
        try place.secret("TOKEN", "top-secret-value")
        let effects = EffectLog()
        let answer = try await place.outside().request(
            WebOrder(
                method: "PUT", url: server.url("/echo?a=1"),
                headers: ["Authorization": .secret(try SecretName("TOKEN")), "X-Empty": .plain("")],
                body: "{\"ä\":1}"), Place.call(effects: effects))
        #expect(answer.status == 200 && answer.origin == .performed)
        #expect(answer.headers["x-twice"] == "a, b")
        let echo = try Value(json: answer.body)
        #expect(echo["method"] == "PUT" && echo["path"] == "/echo?a=1" && echo["body"] == "{\"ä\":1}")
        // The server repeats what it was told, and still nobody reads the secret.
        #expect(echo["headers"]["authorization"] == "[secret TOKEN]")
        #expect(echo["headers"]["x-empty"] == "" && echo["headers"]["expect"].isNull && echo["headers"]["content-type"].isNull)
        #expect(effects.effects.map(\.text) == ["call PUT \(server.url("/echo"))"])
        for method in ["GET", "HEAD", "DELETE", "POST", "OPTIONS"] {
            let answer = try await place.outside().request(WebOrder(method: method, url: server.url("/status/204")), Place.call())
            #expect(answer.status == 204, "\(method)")
        }
    }

    @Test(arguments: ["Content-Length", "transfer-encoding", "Host", "Connection", "Expect", "Upgrade"])
    func `G7 a call cannot say where its request ends or which site it is for, so that what is allowed is what is asked`(name: String)
        async throws
    {
        let server = try WebServer()
        let place = try Self.place(server, "/hit")
        await #expect {
            _ = try await place.outside().request(
                WebOrder(
                    method: "POST", url: server.url("/hit"), headers: [name: .plain("0")], body: "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n"),
                Place.call())
        } throws: { code($0) == .notAllowed && "\($0)".contains("headers: \(name) is set by the connection itself") }
        #expect(try await count(try Self.place(server, "/"), server) == 0)
    }

    @Test func `G7 a redirect to a path that some servers read as a way up is not followed`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/redirect/", "/hit")
        for path in ["/hit/..;/echo", "/hit/%25252e%25252e/echo"] {
            await #expect {
                _ = try await place.outside().request(WebOrder(url: server.url("/redirect/302?to=\(path)")), Place.call())
            } throws: {
                code($0) == .outsideFailed
            }
        }
        #expect(try await count(try Self.place(server, "/"), server) == 0)
    }

    @Test func `a redirect that repeats a secret does not show it`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/redirect/")
        try place.secret("TOKEN", "top-secret-value")
        await #expect {
            _ = try await place.outside().request(WebOrder(url: server.url("/redirect/302?to=/for/top-secret-value")), Place.call())
        } throws: { code($0) == .outsideFailed && "\($0)".contains("/for/[secret TOKEN], which") }
    }

    @Test func `redirects are followed where dr.yaml allows it, and secrets stay behind`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/redirect/", "/echo")
        place.allowances.sites.append(Allowances.Site(url: server.url("/echo", host: "localhost")))
        try place.secret("TOKEN", "top-secret-value")
        let headers = ["X-Token": OutsideText.secret(try SecretName("TOKEN")), "X-Other": .plain("kept")]
        func ask(_ path: String, method: String = "GET") async throws -> WebAnswer {
            try await place.outside().request(WebOrder(method: method, url: server.url(path), headers: headers), Place.call())
        }
        let same = try Value(json: try await ask("/redirect/302?to=/echo").body)
        #expect(same["headers"]["x-token"] == "[secret TOKEN]")
        let other = try Value(json: try await ask("/redirect/307?to=\(server.url("/echo", host: "localhost"))").body)
        #expect(other["headers"]["x-token"].isNull && other["headers"]["x-other"] == "kept")
        // A body is not sent again somewhere else; only "see other" is followed.
        #expect(try await ask("/redirect/307?to=/echo", method: "POST").status == 307)
        #expect(try Value(json: try await ask("/redirect/303?to=/echo", method: "POST").body)["method"] == "GET")
        await #expect { try await ask("/redirect/302?to=/hit") } throws: {
            code($0) == .outsideFailed && "\($0)".contains("redirects to \(server.url("/hit")), which dr.yaml does not allow")
        }
        await #expect { try await ask("/redirect/302?to=/redirect/302%3Fto=/echo/../hit") } throws: { code($0) == .outsideFailed }
        #expect(try await count(try Self.place(server, "/"), server) == 0)
    }

    @Test func `an answer that is lost is unknown where it may have been done, and a failure where not`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/")
        await #expect {
            try await place.outside().request(WebOrder(method: "POST", url: server.url("/drop"), body: "x"), Place.call())
        } throws: {
            code($0) == .unknownOutcome
        }
        await #expect { try await place.outside().request(WebOrder(url: server.url("/drop")), Place.call()) } throws: {
            code($0) == .outsideFailed
        }
        await #expect {
            try await place.outside().request(
                WebOrder(method: "POST", url: server.url("/slow"), timeout: .milliseconds(200)), Place.call())
        } throws: { code($0) == .unknownOutcome }
        await #expect {
            try await place.outside().request(WebOrder(url: server.url("/slow"), timeout: .milliseconds(200)), Place.call())
        } throws: { code($0) == .timeout }
        let closed = try Place()
        closed.allowances.sites = [Allowances.Site(url: "http://127.0.0.1:1/")]
        await #expect { try await closed.outside().request(WebOrder(method: "POST", url: "http://127.0.0.1:1/"), Place.call()) } throws: {
            code($0) == .outsideFailed
        }
    }

    @Test func `G2 a request that must not be repeated is not, over a connection that was kept either`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/")
        let outside = place.outside()
        _ = try await outside.request(WebOrder(url: server.url("/echo")), Place.call())
        await #expect { try await outside.request(WebOrder(method: "POST", url: server.url("/drop")), Place.call()) } throws: {
            code($0) == .unknownOutcome
        }
        #expect(try await count(place, server) == 1)
    }

    @Test func `a body beyond the limit is cut and marked`() async throws {
        let server = try WebServer()
        let answer = try await Self.place(server, "/").outside().request(WebOrder(url: server.url("/big")), Place.call())
        #expect(answer.cut && answer.body.utf8.count == AllowedOutside.keptBody)
    }

    @Test(arguments: [("good", true), ("wrong-host", false), ("expired", false), ("unknown", false)])
    func `G7 certificates are verified`(certificate: String, isTrusted: Bool) async throws {
        let server = try WebServer(certificate: certificate)
        let place = try Self.place(server, "/")
        place.authorities = WebServer.certificate("authority")
        let order = WebOrder(method: "POST", url: server.url("/hit"), body: "x")
        if isTrusted {
            #expect(try await place.outside().request(order, Place.call()).status == 200)
            // The system's authorities do not know ours.
            place.authorities = nil
        }
        await #expect { try await place.outside().request(order, Place.call()) } throws: {
            code($0) == .outsideFailed && "\($0)".contains("not who it should be")
        }
    }

    @Test func `G4 a plan asks nobody, and G5 a drill only asks`() async throws {
        let server = try WebServer()
        let place = try Self.place(server, "/")
        let effects = EffectLog()
        let predicted = try await place.outside(predicts: true).request(
            WebOrder(
                method: "POST", url: server.url("/hit"), expectedStatus: 201, standIn: StandIn(inPlan: ["json": ["id": 7]])),
            Place.call(effects: effects))
        #expect((predicted.status, predicted.body, predicted.origin) == (201, #"{"id":7}"#, .predicted))
        #expect(effects.effects.count == 1)
        _ = try await place.outside(predicts: true).request(WebOrder(url: server.url("/hit")), Place.call())
        let skipped = try await place.outside().request(WebOrder(method: "POST", url: server.url("/hit")), Place.call(as: .drill))
        #expect(skipped.origin == .skipped)
        #expect(try await count(place, server) == 0)
        #expect(try await place.outside().request(WebOrder(url: server.url("/hit")), Place.call(as: .drill)).origin == .performed)
        let run = WebOrder(method: "POST", url: server.url("/hit"), standIn: StandIn(inDrill: .run))
        #expect(try await place.outside().request(run, Place.call(as: .drill)).origin == .performed)
        #expect(try await count(place, server) == 2)
    }

    @Test func `people are told, with the token, and not twice the same where nothing changed`() async throws {
        let server = try WebServer()
        let place = try Place()
        place.environment["PAGER_TOKEN"] = "top-secret-value"
        place.allowances.sites = [Allowances.Site(url: server.url("/count"))]
        place.allowances.channels = [
            Allowances.Channel(name: "oncall", webhook: server.url("/hit"), token: try SecretName("PAGER_TOKEN")),
            Allowances.Channel(name: "broken", webhook: server.url("/status/500/with-a-secret-in-its-path")),
        ]
        let outside = place.outside()
        func tell(_ text: String, hasChanged: Bool = false, always: Bool = false) async throws -> Bool {
            try await outside.notify(
                NotificationOrder(channel: "oncall", text: text, always: always), Place.call(hasChanged: hasChanged)
            ).sent
        }
        #expect(try await tell("up"))
        #expect(try await !tell("up"))
        #expect(try await tell("down"))
        #expect(try await tell("down", hasChanged: true))
        #expect(try await tell("down", always: true))
        #expect(try await !tell("down"))
        #expect(try await outside.notify(NotificationOrder(channel: "oncall", text: "x"), Place.call(as: .drill)).origin == .skipped)
        #expect(
            try await place.outside(predicts: true).notify(NotificationOrder(channel: "oncall", text: "x"), Place.call()).origin
                == .predicted)
        let answer = try await outside.request(WebOrder(url: server.url("/count")), Place.call())
        let bodies = try #require(try Value(json: answer.body).list).map { try Value(json: $0.string ?? "") }
        #expect(bodies.map { $0["text"].string } == ["up", "down", "down", "down"])
        #expect(bodies[0]["key"] == "run-1/0/3/1/do" && bodies[0]["running_as"] == "live")
        await #expect { try await outside.notify(NotificationOrder(channel: "broken", text: "x"), Place.call()) } throws: {
            code($0) == .outsideFailed && !"\($0)".contains("with-a-secret") && "\($0)".contains("status 500")
        }
        await #expect { try await outside.notify(NotificationOrder(channel: "oncal", text: "x"), Place.call()) } throws: {
            code($0) == .notAllowed && "\($0)".contains("oncall")
        }
    }
}
