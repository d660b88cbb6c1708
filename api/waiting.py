"""Asking, and waiting for the answer as long as its asker is ready to: in a thread, or parked where that can be."""

from dataclasses import replace

from api.edge import Entered
from api.response import Park
from athena import ask
from athena.question import Answer, Question


def waited(entered: Entered, question: Question, wait_seconds: float) -> tuple[Answer, Park | None]:
    """The answer, as it is once it is final or time is up; with `Park` when the server is to wait instead."""
    lake, caller, visit = entered.visit.parts.lake, entered.caller, entered.visit
    if visit.resume:
        answer = ask.look(lake, caller, visit.resume)
        visit.cache = answer.cache
        return answer, None
    answer = ask.ask(lake, replace(question, request_id=visit.request_id))
    visit.cache, visit.rate = answer.cache, answer.rate
    seconds = min(wait_seconds, visit.most_wait_seconds)
    if answer.state.final or seconds <= 0:
        return answer, None
    if visit.may_park:
        return answer, Park(caller, answer.id, seconds)
    return ask.wait(lake, caller, answer.id, seconds=seconds), None
