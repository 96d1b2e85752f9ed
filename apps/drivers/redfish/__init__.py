"""A server behind a management controller that speaks Redfish (DMTF DSP0266, schemas DSP8010), whoever made it."""
