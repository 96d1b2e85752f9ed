"""The audit: every change, by whom, from where, before and after; chained so that a gap or an edit shows.

An entry is written inside the transaction of the act (``recording``). One sealer task chains entries within five
seconds (``sealing``), another looks whether the chain holds (``verifying``), a third removes what is too old
(``retention``).
"""

from apps.core.audit.recording import CHANGED, record, record_refusal

__all__ = ["CHANGED", "record", "record_refusal"]
