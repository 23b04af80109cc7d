"""Doors for browsers and apps that Home Assistant guards: by its login, or by a path that it signed."""

from homeassistant.core import HomeAssistant, callback

from .audit_download import AuditLogView
from .export_download import ExportView
from .notification_picture import NotificationPictureView
from .reference_photo import AddPhotoView, ReferencePhotoView
from .review_picture import ReviewPictureView
from .visit_picture import VisitPictureView


@callback
def async_setup_views(hass: HomeAssistant) -> None:
    """Register the views. They look for the running entry when they are asked for."""
    for view in (
        ReviewPictureView(),
        NotificationPictureView(),
        VisitPictureView(),
        ReferencePhotoView(),
        AddPhotoView(),
        ExportView(hass),
        AuditLogView(),
    ):
        hass.http.register_view(view)
