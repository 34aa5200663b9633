internal import RouterCore

extension RoutesInForce {
  /// Puts an earlier version in force, the one before when none is named. It stays until the files on disk change or
  /// somebody asks for a reload, also across a restart. Throws when there is none, or it can be used no more.
  func rollback(to version: String?) async throws(ControlFailure) -> Change {
    let result = await turn.wait { [self] () -> Result<Change, ControlFailure> in
      do throws(ControlFailure) { return .success(try await goBack(to: version)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func goBack(to version: String?) async throws(ControlFailure) -> Change {
    var change = Change(reason: "rollback", from: snapshot.version)
    let started = ContinuousClock.now
    let reading = try await readKept(version)
    guard case .success(let snapshot) = reading.result, let content = reading.content else {
      throw ControlFailure("nothing was kept")
    }
    _ = await comparedWithDisk()
    let onDisk = state.withLock { $0.seen?.version } ?? ""
    let isOnDisk = onDisk == snapshot.version
    router.swap(snapshot)
    change.version = snapshot.version
    change.seconds = (ContinuousClock.now - started) / .seconds(1)
    change.notKept = await onThread(isPatient: true) { [change, versions] in
      RoutesInForce.keep(content, change, versions, replacing: isOnDisk ? nil : onDisk)
    }
    state.withLock { [change] state in
      state.footing = isOnDisk ? .files : .rollback(replacing: onDisk)
      state.loadedAt = change.date
      state.lastChange = change
      // What the files are was just seen: they do not come back by themselves.
      state.tried = state.seen?.fingerprint ?? state.tried
    }
    await releaseUnused()
    return change
  }

  /// Reads an earlier version, the one before when none is named. Throws when there is none, or it can be used no more.
  func readKept(_ version: String?) async throws(ControlFailure) -> RouteReading {
    guard let versions, let directory else {
      throw ControlFailure("no versions are kept to go back to", .notFound)
    }
    let current = snapshot.version
    let result = await onThread(isPatient: true) { () -> Result<RouteReading, ControlFailure> in
      do throws(ControlFailure) {
        let wanted = try RoutesInForce.wanted(version, versions, current)
        let content = try versions.content(of: wanted, root: RouteReading.root(of: directory))
        let reading = RouteReading.kept(content, in: directory)
        if case .failure(let errors) = reading.result {
          throw ControlFailure("version \(wanted) cannot be used any more:\n\(errors.rendered)")
        }
        return .success(reading)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private static func wanted(
    _ version: String?, _ versions: RouteVersions, _ current: String
  ) throws(ControlFailure) -> String {
    if let version { return try versions.find(version).version }
    if let before = versions.entries.first(where: { $0.version != current }) { return before.version }
    throw ControlFailure("there is no version before \(current)", .notFound)
  }
}
