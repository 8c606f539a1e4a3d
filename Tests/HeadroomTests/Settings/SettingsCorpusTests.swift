import TestSupport
import Testing

@testable import Headroom

/// Of broken settings files and URLs, generated, nothing is said that holds a piece of their secrets.
@Suite struct SettingsCorpusTests {
    private let folder = TemporaryFolder()

    /// All that somebody may see of what was found.
    private func shown(_ found: FoundSettings) -> String {
        let rows = found.rows.map {
            "\($0.value ?? "") \($0.note ?? "") \($0.problem?.description ?? "") \($0.origin?.description ?? "")"
        }
        let loaded = Result { try found.loaded(programName: "x") }
        let database = (try? loaded.get()).map { "\($0.database) \($0.endpoints) \($0.administrator as Any) \($0)" }
        var failure = ""
        if case .failure(let error) = loaded { failure = "\(error)" }
        return (rows + found.warnings + found.problems.map(\.description) + [database ?? "", failure, "\(found)"])
            .joined(separator: "\n")
    }

    @Test func `of broken files and URLs nothing is said that holds a piece of a secret`() {
        let seed = SettingsCorpus.newSeed
        print("seed of the corpus of settings: \(seed)")
        for (number, one) in SettingsCorpus(seed: seed, count: isFullRun ? 5_000 : 500).enumerated() {
            let found: FoundSettings
            switch one.form {
            case .url:
                found = SettingsSources(
                    environment: ["DATABASE_URL": one.text[...].text, "HEADROOM_QUEUE": "q"],
                    envFile: "/dev/null"
                )
                .find()
            case .options:
                found = SettingsSources(
                    environment: [:],
                    envFile: "/dev/null",
                    defaultsFile: folder.write(one.text, to: "my.cnf")
                )
                .find()
            case .laravel, .symfony, .bedrock, .env, .php:
                var search = SettingsSearch()
                let dialects: [SettingsCorpus.Case.Form: EnvFile.Dialect] = [
                    .laravel: .laravel, .symfony: .symfony, .bedrock: .bedrock,
                ]
                let dialect = dialects[one.form]
                search.addEnvFile(folder.write(one.text, to: "env"), isNamed: number % 2 == 0, as: dialect)
                search.lookForContradictions()
                search.tellWhatIsPassedOver()
                found = search.found
            }
            let seen = shown(found)
            let leaked = one.pieces.first { seen.contains($0) }
            #expect(leaked == nil, "seed \(seed), case \(number), \(one.form): \(one.text[...].text)\n-- \(seen)")
            if leaked != nil { return }
        }
    }
}
