# SPDX-License-Identifier: Apache-2.0
"""All tables.  Importing this package makes ``Base.metadata`` complete: one line for each module of models."""

from nova.db.models import flavor as _flavor  # noqa: F401
from nova.db.models import host as _host  # noqa: F401
from nova.db.models import identity as _identity  # noqa: F401
from nova.db.models import image as _image  # noqa: F401
from nova.db.models import instance as _instance  # noqa: F401
from nova.db.models import key_pair as _key_pair  # noqa: F401
from nova.db.models import move as _move  # noqa: F401
from nova.db.models import network as _network  # noqa: F401
from nova.db.models import quota as _quota  # noqa: F401
from nova.db.models import security_group as _security_group  # noqa: F401
from nova.db.models import server_group as _server_group  # noqa: F401
from nova.db.models import volume as _volume  # noqa: F401
from nova.db.models.base import Base

__all__ = ["Base"]
