internal import CLibreShim

/// Who goes first when there are fewer processors than work.
public enum ThreadPriority {
  /// The calling thread is woken before others: for what calls wait for.
  static func stepForward() { shim_step_forward() }

  /// The calling thread lets everybody else go first from now on: for what takes long and is in no hurry.
  public static func standBack() { shim_stand_back() }
}
