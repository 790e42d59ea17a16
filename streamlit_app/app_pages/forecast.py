"""Forecast: what each series is expected to cost, how sure that is, and how right it was before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import forecasts
from streamlit_app import breakdown, charts, data, filters, states, tables
from streamlit_app.filters import month_of
from streamlit_app.format import ago, count, day, days, label, markdown, money, month, percent
from streamlit_app.links import Figure
from streamlit_app.series import LEVELS, series_filters, series_name

HISTORY = timedelta(days=120)
