"""What crosses the wire: requests that are checked, and answers that the document describes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

__all__ = [
    "ClusteringAnswer",
    "CodeAnswer",
    "DistributeAnswer",
    "DistributeRequest",
    "DocumentAnswer",
    "Empty",
    "ExportQuery",
    "Failure",
    "FindAnswer",
    "FindRequest",
    "HealthAnswer",
    "PageQuery",
    "ProbeAnswer",
    "ProcessAnswer",
    "ProcessRequest",
    "SessionAnswer",
    "SessionRequest",
    "SessionsAnswer",
    "StartAnswer",
    "VariablesAnswer",
    "VerbRequest",
    "WorkflowAnswer",
    "WorkflowsAnswer",
]

DataType = Literal["first_party", "third_party", "clean_room"]
Kind = Literal["demographic", "behavioral", "psychographic", "lifestyle"]
Text = Annotated[str, Field(max_length=2000)]
Code = Annotated[str, Field(min_length=1, max_length=255)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Given(BaseModel):
    """A request: nothing unknown in it, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")


class Empty(Given):
    """A request that needs no words."""


class Failure(Told):
    """Any error: what is the case, the next move, and what to look for in the log."""

    error: str
    next_move: str
    log_id: str


class DocumentAnswer(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


# -- the source document's endpoints -------------------------------------------------------------


class StartAnswer(Told):
    """A session has begun."""

    session_id: str
    status: Literal["ready"]
    message: str


class Payload(Given):
    """What to process: words, the data they are about, or the variables that are confirmed."""

    input: Text | None = None
    data_type: DataType | None = None
    subtype: Code | None = None
    confirmed_variables: Annotated[list[Code], Field(max_length=1000)] | None = None


class ProcessRequest(Given):
    """One step of the workflow."""

    session_id: Annotated[str, Field(max_length=100)]
    action: Literal["process", "confirm", "refine"]
    payload: Payload = Field(default_factory=Payload)


class SuggestedVariable(Told):
    """One variable that may describe the audience."""

    code: str
    description: str
    type: Kind
    category: str
    source: str
    dataAvailability: dict[DataType, bool]
    relevance_score: float
    selected: bool
    why: str


class SuggestedVariables(Told):
    """Suggestions by type; every type is there, if only with an empty list."""

    psychographic: list[SuggestedVariable]
    demographic: list[SuggestedVariable]
    behavioral: list[SuggestedVariable]
    lifestyle: list[SuggestedVariable]


class SuggestedAnswer(Told):
    """The variables that were found."""

    status: Literal["variables_suggested"]
    suggested_variables: SuggestedVariables
    total_suggested: Count
    data_type: DataType
    message: str


class ProcessedSegment(Told):
    """One segment, with the source document's names."""

    group_id: int
    size: Count
    size_percentage: Annotated[float, Field(ge=0, le=100)]
    name: str
    dominantTraits: list[str]
    characteristics: dict[str, Any]


class CompleteAnswer(Told):
    """The segments."""

    status: Literal["complete"]
    segments: list[ProcessedSegment]
    audience_id: str
    total_records: Count
    data_type: DataType
    message: str


class ProcessAnswer(RootModel[SuggestedAnswer | CompleteAnswer]):
    """Suggestions, or segments once there are any."""


class ExportQuery(Given):
    """Which format."""

    format: Literal["csv", "parquet", "json"] = "csv"


class HealthAnswer(Told):
    """Each part was tried just now; "degraded" if one of them failed."""

    status: Literal["healthy", "degraded"]
    components: dict[str, Literal["ok", "failed"]]
    version: str


class ProbeAnswer(Told):
    """For a probe: no more than it needs."""

    status: Literal["healthy", "ready", "degraded", "stopping"]


class DistributeRequest(Given):
    """Where an audience should go; without `confirm` nothing leaves."""

    audience_id: Annotated[str, Field(max_length=100)]
    platforms: Annotated[list[Code], Field(min_length=1, max_length=20)] = ["file"]
    confirm: bool = False


class DistributeResult(Told):
    """What one platform got, or would get."""

    platform: str
    status: Literal["simulated", "sent", "failed"]
    rows_sent: Count
    rows_dropped: dict[str, int]
    dry_run: bool
    message: str


class DistributeAnswer(Told):
    """One result for each platform."""

    status: Literal["simulated", "sent", "partial", "failed"]
    results: list[DistributeResult]


# -- sessions ------------------------------------------------------------------------------------


class SessionRequest(Given):
    """What to open the session on."""

    source: Code | None = None


class VerbRequest(BaseModel):
    """Arguments of a verb, which the verb itself checks."""

    model_config = ConfigDict(extra="allow", strict=True)


class Step(Told):
    """One step of the road."""

    name: str
    title: str
    state: Literal["done", "current", "waiting"]


class Segment(BaseModel):
    """One segment, as views show it."""

    id: int
    name: str
    size: Count
    share: Share
    picked: bool


class Segmentation(BaseModel):
    """The segments, as views show them."""

    n_records: Count
    n_segments: Count
    segments: list[Segment]


class Shown(BaseModel):
    """The snapshot that every view shows: decisions and aggregates, never a record."""

    model_config = ConfigDict(extra="allow")
    revision: Count
    steps: list[Step]
    data: dict[str, Any]
    data_type: DataType
    subtype: str
    messages: list[dict[str, Any]]
    query: str | None
    suggestions: list[dict[str, Any]]
    selected: list[dict[str, Any]]
    segmentation: Segmentation | None
    audience: dict[str, Any] | None
    deliveries: list[dict[str, Any]]
    undo: str | None
    redo: str | None


class SessionAnswer(Told):
    """A session as it stands."""

    session_id: str
    version: Count
    workflow_id: str | None
    audience_id: str | None
    source: str
    snapshot: Shown


class PageQuery(Given):
    """Which page: the `next` of the page before."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    before: Annotated[str, Field(max_length=80)] | None = None


class SessionListed(Told):
    """One session in a list."""

    session_id: str
    source: str
    query: str | None
    version: Count
    created_at: str
    updated_at: str


class SessionsAnswer(Told):
    """A page of sessions, the last changed first."""

    sessions: list[SessionListed]
    next: str | None


class FindRequest(Given):
    """Words to look variables up by."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    limit: Annotated[int, Field(ge=1, le=100)] = 15


class FindAnswer(Told):
    """Variables, the best first."""

    suggestions: list[dict[str, Any]]


class CodeAnswer(Told):
    """Python that leads to the same audience."""

    code: str


class WorkflowListed(Told):
    """One workflow, with the names of the source document's table."""

    workflow_id: str
    original_query: str
    selected_variables: list[str]
    total_records: Count
    num_segments: Count
    status: Literal["complete", "failed"]
    error_message: str | None
    source: str
    created_at: str
    completed_at: str | None


class WorkflowsAnswer(Told):
    """A page of workflows, the newest first."""

    workflows: list[WorkflowListed]
    next: str | None


class SegmentListed(Told):
    """One segment, with the names of the source document's table."""

    segment_id: str
    segment_number: int
    segment_size: Count
    segment_percentage: float
    characteristics: dict[str, Any]
    prizm_segments: list[dict[str, Any]] | None


class WorkflowAnswer(WorkflowListed):
    """One workflow with its segments."""

    segments: list[SegmentListed]


# -- debugging -----------------------------------------------------------------------------------


class VariablesAnswer(Told):
    """What can be found."""

    total_variables: Count
    by_type: dict[str, int]
    sample: list[dict[str, Any]]


class ClusteringAnswer(Told):
    """How a workflow's records were cut."""

    workflow_id: str
    cluster_sizes: dict[str, int]
    silhouette_score: float | None
    constraint_violations: list[str]
