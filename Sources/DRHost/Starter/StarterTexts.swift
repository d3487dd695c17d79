/// The texts of the files that `init` writes.
enum StarterTexts {
    static let configuration = """
        # Two sites, and the shop that moves between them. See `drrunbook --help`; `drrunbook explain` for what runbooks can do.
        engine: embedded
        state: .drrunbook                  # the journal of runs; not on a site that may be lost
        clusters:
          east: { directory: sites/east }
          west: { directory: sites/west }
          # Real processes on a plain host:
          #   workloads: { start: [systemctl, start, "{name}"], stop: [systemctl, stop, "{name}"], ready: [systemctl, is-active, "{name}"] }
        objectStores:
          vault: { directory: objects }
        applications:
          ledger:     { namespaces: [shop-db], rto: 5m, rpo: 15m }
          storefront: { namespaces: [shop-web], after: [ledger], rto: 5m }
        pairs:
          east-west: { source: east, destination: west, objectStore: vault, bothWays: true }
        schedules:
          shop: { pair: east-west, applications: [ledger, storefront], interval: 15m, retain: { last: 8, hourly: 24, daily: 14 } }

        """

    static let ignored = """
        .drrunbook/
        objects/*
        !objects/.gitkeep
        sites/*/.dr/

        """

    static let protect = """
        -- Puts the shop under protection: the pair and the schedule exist, all is checked, a recovery point lies at west.
        local say = require "lib.say"

        return dr.runbook {
          name = "protect the shop",
          summary = "Sets up replication from east to west and makes a recovery point.",
          params = {
            interval = { type = "duration", default = "15m", summary = "How often the schedule copies." },
          },
          run = function(p)
            local pair = dr.pair {
              name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = true,
            }
            dr.schedule {
              name = "shop", pair = pair, applications = "all", interval = p.interval, retain = { last = 8, hourly = 24, daily = 14 },
            }
            dr.checks { pair = pair, applications = "all", warn_only = { ["recovery-point-fresh"] = "the first one is made below" } }
            say.copied(dr.migrate { pair = pair, applications = "all" })
          end,
        }

        """

    static let failover = """
        -- Moves the shop from east to west: stop there, one last sync, start here, in order. Planned, it loses nothing.
        local say = require "lib.say"

        return dr.runbook {
          name = "shop failover",
          summary = "Moves the shop from east to west.",
          params = {
            reason = { type = "string", default = "planned move", summary = "Stands in the record; in a disaster, what shows that east is down." },
            planned = { type = "boolean", default = true, summary = "false: east is lost, nothing of it is touched." },
          },
          run = function(p)
            dr.log("reason: %s", p.reason)
            say.moved(dr.failover {
              pair = "east-west", applications = "all", mode = p.planned and "planned" or "disaster",
              source_down = not p.planned and { evidence = p.reason, fenced = "power" } or nil,
              on = {
                stopping = function(app) dr.log("draining %s", app.name) end,
                ready = function(app) dr.log("%s answers at west", app.name) end,
              },
            })
          end,
        }

        """

    static let failback = """
        -- Brings the shop home from west to east, as a planned failover over the reversed pair.
        local say = require "lib.say"

        return dr.runbook {
          name = "shop failback",
          summary = "Brings the shop back to east.",
          run = function()
            say.moved(dr.failback { pair = "east-west", applications = "all" })
          end,
        }

        """

    static let drill = """
        -- Tries the failover without touching anything: an isolated clone at west, looked at, and removed again.
        return dr.runbook {
          name = "shop drill",
          summary = "Starts a clone of the shop at west, and removes it.",
          params = {
            ttl = { type = "duration", default = "2h", summary = "When the clone goes at the latest, whatever happens here." },
          },
          run = function(p)
            local drill = dr.drill {
              pair = "east-west", applications = "all", ttl = p.ttl,
              on = { ready = function(app) dr.log("the clone of %s answers", app.name) end },
            }
            dr.log("ready in %s; namespaces:", drill.rto)
            for name, clone in pairs(drill.namespaces) do dr.log("  %s -> %s", name, clone) end
            local ended = dr.cleanup { drill = drill }
            dr.log("removed %d, left %d", ended.removed, #ended.left)
          end,
        }

        """

    static let say = """
        -- Lines that several runbooks log. `require "lib.say"` finds this file.
        local say = {}

        function say.moved(result)
          for name, a in pairs(result.applications) do
            dr.log("%s live at %s, rpo %s, rto %s", name, a.active_at, a.rpo or "-", a.rto or "-")
          end
        end

        function say.copied(result)
          for name, m in pairs(result.applications) do
            dr.log("%s: %s, read %d bytes, sent %d bytes", name, m.consistency, m.bytes_read, m.bytes_sent)
          end
        end

        return say

        """

    static let cluster = """
        # Facts of the site, which checks compare. Never commands.
        platform: kubernetes
        version: "1.31"
        objectSize: 16MiB
        secretsProvider: kubernetes

        """

    static let database = """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: shop-db
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata:
          name: pg-data
        spec:
          capacity: { storage: 1Gi }
          accessModes: [ReadWriteOnce]
          persistentVolumeReclaimPolicy: Retain
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata:
          name: data-ledger-0
          namespace: shop-db
        spec:
          volumeName: pg-data            # the folder volumes/pg-data
          accessModes: [ReadWriteOnce]
          resources: { requests: { storage: 1Gi } }
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: ledger
          namespace: shop-db
        data:
          audit: "on"
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata:
          name: ledger
          namespace: shop-db
        spec:
          replicas: 1
          selector: { matchLabels: { app: ledger } }
          template:
            metadata: { labels: { app: ledger } }
            spec:
              containers: [{ name: ledger, image: "registry.example.com/ledger:4.2" }]

        """

    static let web = """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: shop-web
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: storefront
          namespace: shop-web
        data:
          banner: "open"
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: storefront
          namespace: shop-web
        spec:
          selector: { app: storefront }
          ports: [{ port: 80 }]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: storefront
          namespace: shop-web
        spec:
          replicas: 2
          selector: { matchLabels: { app: storefront } }
          template:
            metadata: { labels: { app: storefront } }
            spec:
              containers: [{ name: storefront, image: "registry.example.com/storefront:1.7" }]

        """

    static let entries = """
        n,account,amount
        1,opening,1000.00
        2,sale-4711,19.90
        3,sale-4712,5.00

        """
}
