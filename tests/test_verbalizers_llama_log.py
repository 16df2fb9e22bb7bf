"""What llama.cpp says, to whom, and from which thread."""

from __future__ import annotations

import threading

from nle_fast.verbalizers.llama import EMBEDDED
from nle_fast.verbalizers.llama.model import Context, Weights, _listener, _log


def test_models_opened_and_closed_by_many_threads():
    """What llama.cpp says comes to whoever listens; a listener given up while another thread calls it ended Python."""
    failed = []

    def work():
        try:
            for _ in range(8):
                weights = Weights(EMBEDDED, None, None)
                Context(weights, 2).close()
                weights.close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_what_llama_cpp_says_elsewhere_goes_to_its_own_logger(capfd):
    from llama_cpp import _logger

    with _log() as said:
        _listener()(2, b"heard", None)
    _listener()(2, b"not heard", None)
    assert said == ["heard"]
    assert _logger.logger.level >= 40
    assert capfd.readouterr() == ("", "")
