"""Between the models' floats and stored money."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.forecasting.history import FloatArray

MONEY_TYPE = pa.decimal128(38, 18)


def to_money(values: FloatArray) -> pa.ChunkedArray | pa.Array:
    """Amounts rounded to cents, as the money type. NaN becomes null.

    Raises ValueError for amounts beyond 90 million millions, which no int64 of cents could hold.
    """
    finite = np.isfinite(values)
    if np.any(np.isinf(values)) or np.any(np.abs(values[finite]) > 9e13):
        raise ValueError("an amount is infinite or beyond 9e13")
    whole = np.rint(np.where(finite, values, 0.0) * 100).astype(np.int64)
    cents = pa.array(whole, mask=~finite).cast(pa.decimal128(19, 0))
    hundredth = pa.scalar("0.01").cast(pa.decimal128(3, 2))
    return pc.multiply(cents, hundredth).cast(MONEY_TYPE)
