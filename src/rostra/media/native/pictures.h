/* One frame of a source, with the sizes it has been scaled to (sizes.c). */
#pragma once

#include "rostra.h"

struct _Picture {
  gint references;
  GstVideoFrame frame;
  gint64 arrived;
  GMutex lock; /* over `sizes` and `planar` */
  GCond scaled;
  GList *sizes;
  Planes planes;
  gboolean planar;
};

void rostra_sizes_clear(Picture *picture);
/* Widths and heights that differ from its own; returns how many. */
int rostra_sizes_list(Picture *picture, int (*out)[2], int room);
void rostra_sizes_state(RostraState *state);
