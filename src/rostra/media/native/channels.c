/* Encoded media from one publisher to many subscribers, who start with a key frame and never hold it up.
 *
 * Locks: the table's, then the subscriber's. Events go upstream with none held. */
#include "rostra.h"

#define QUEUE_MOST 32
#define KEY_INTERVAL (350 * G_TIME_SPAN_MILLISECOND) /* browsers disregard a request within 300 ms of the one before */
#define LEAVING_MOST (2 * G_TIME_SPAN_SECOND) /* then what is to be left does not play on */
#define KEY_PATIENCE G_TIME_SPAN_SECOND /* then a request counts as lost; a slow path needs its time for a key frame */

struct _Channel {
  char *id;
  gint users;            /* publisher and subscribers; all under the table's lock */
  GstElement *publisher; /* its reference is held while it is here */
  GList *subscribers;
  gint64 key_sent;
  gboolean key_wanted;
};

struct _Subscriber {
  Channel *channel; /* under the table's lock, as what follows */
  Channel *next;    /* takes its place with its first key frame */
  gint64 leaving;   /* since when there is a next one */
  GMutex lock;      /* over the rest */
  GCond arrived;
  void (*told)(gpointer); /* as well; both set once */
  gpointer data;
  GQueue queue;
  gboolean flushing, need_key, discont;
};

static GMutex lock;
static GHashTable *channels;
static gint subscriber_count, publisher_count;

static Channel *channel_of(const char *id) {
  if (!channels) channels = g_hash_table_new(g_str_hash, g_str_equal);
  Channel *channel = g_hash_table_lookup(channels, id);
  if (!channel) {
    channel = g_new0(Channel, 1);
    channel->id = g_strdup(id);
    g_hash_table_insert(channels, channel->id, channel);
  }
  channel->users++;
  return channel;
}

static void channel_release(Channel *channel) {
  if (--channel->users > 0) return;
  g_hash_table_remove(channels, channel->id);
  g_free(channel->id);
  g_free(channel);
}

static void item_free(gpointer data) {
  ChannelItem *item = data;
  gst_buffer_unref(item->buffer);
  if (item->caps) gst_caps_unref(item->caps);
  g_free(item);
}

/* ---- key frames ---------------------------------------------------------------------------------------------- */

/* With the lock held: was no key frame asked for since this publisher is here, or did the last request come to nothing?
 * It may: a packet is lost, or a far end disregards what comes too soon after somebody else's request. */
static gboolean key_overdue(const Channel *channel) {
  return !channel->key_sent || g_get_monotonic_time() - channel->key_sent >= KEY_PATIENCE;
}

/* With the lock held: the publisher to ask now, with a reference, or NULL when it must wait or nobody is there. */
static GstElement *key_due(Channel *channel) {
  gint64 now = g_get_monotonic_time();
  channel->key_wanted = TRUE;
  if (!channel->publisher || (channel->key_sent && now - channel->key_sent < KEY_INTERVAL)) return NULL;
  channel->key_wanted = FALSE;
  channel->key_sent = now;
  return gst_object_ref(channel->publisher);
}

static void ask(GstElement *publisher) {
  if (!publisher) return;
  GstEvent *event = gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0);
  gst_pad_push_event(GST_BASE_SINK_PAD(publisher), event);
  gst_object_unref(publisher);
}

void rostra_subscriber_request_key(Subscriber *subscriber) {
  g_mutex_lock(&lock);
  GstElement *publisher = subscriber->channel ? key_due(subscriber->channel) : NULL;
  g_mutex_unlock(&lock);
  ask(publisher);
}

ROSTRA_EXPORT int rostra_request_keyframe(const char *id) {
  g_mutex_lock(&lock);
  Channel *channel = channels ? g_hash_table_lookup(channels, id) : NULL;
  gboolean published = channel && channel->publisher;
  GstElement *publisher = channel ? key_due(channel) : NULL;
  g_mutex_unlock(&lock);
  ask(publisher);
  return published;
}

/* ---- publisher -------------------------------------------------------------------------------------------------- */

Channel *rostra_channel_open(const char *id, GstElement *publisher) {
  GstElement *previous;
  g_mutex_lock(&lock);
  Channel *channel = channel_of(id);
  previous = channel->publisher;
  channel->publisher = gst_object_ref(publisher);
  channel->key_sent = 0;
  publisher_count++;
  for (GList *item = channel->subscribers; item; item = item->next) {
    Subscriber *subscriber = item->data; /* a new encoder: its pictures do not follow from the old one's */
    if (subscriber->channel != channel) continue;
    g_mutex_lock(&subscriber->lock);
    subscriber->need_key = subscriber->discont = TRUE;
    g_mutex_unlock(&subscriber->lock);
  }
  g_mutex_unlock(&lock);
  if (previous) gst_object_unref(previous);
  return channel;
}

void rostra_channel_close(Channel *channel, GstElement *publisher) {
  GstElement *held = NULL;
  g_mutex_lock(&lock);
  if (channel->publisher == publisher) held = g_steal_pointer(&channel->publisher);
  publisher_count--;
  channel_release(channel);
  g_mutex_unlock(&lock);
  if (held) gst_object_unref(held);
}

/* With the subscriber's lock held. Returns whether to ask for a key frame; `overdue`: also if it has waited for one. */
static gboolean offer(Subscriber *subscriber, const ChannelItem *item, gboolean delta, gboolean overdue) {
  if (subscriber->need_key && delta) return overdue;
  if (subscriber->queue.length >= QUEUE_MOST) {
    g_queue_clear_full(&subscriber->queue, item_free);
    subscriber->discont = TRUE;
    if (delta) {
      subscriber->need_key = TRUE;
      return TRUE;
    }
  }
  ChannelItem *copy = g_memdup2(item, sizeof *item);
  gst_buffer_ref(copy->buffer);
  if (copy->caps) gst_caps_ref(copy->caps);
  copy->discont = subscriber->discont;
  subscriber->need_key = subscriber->discont = FALSE;
  g_queue_push_tail(&subscriber->queue, copy);
  g_cond_signal(&subscriber->arrived);
  if (subscriber->told) subscriber->told(subscriber->data);
  return FALSE;
}

static void leave(Subscriber *subscriber, Channel *channel) {
  channel->subscribers = g_list_remove(channel->subscribers, subscriber);
  channel_release(channel);
  subscriber_count--;
}

/* With the table's lock held: does an item of this channel go to the subscriber? */
static gboolean plays(Subscriber *subscriber, Channel *channel, gboolean delta, gboolean overdue, gboolean *wanted) {
  if (subscriber->channel == channel)
    return !subscriber->next || g_get_monotonic_time() - subscriber->leaving < LEAVING_MOST;
  if (delta) {
    *wanted |= overdue;
    return FALSE;
  }
  leave(subscriber, subscriber->channel);
  subscriber->channel = g_steal_pointer(&subscriber->next);
  g_mutex_lock(&subscriber->lock);
  subscriber->need_key = subscriber->discont = TRUE;
  g_mutex_unlock(&subscriber->lock);
  return TRUE;
}

void rostra_channel_push(Channel *channel, const ChannelItem *item) {
  gboolean delta = GST_BUFFER_FLAG_IS_SET(item->buffer, GST_BUFFER_FLAG_DELTA_UNIT), wanted = FALSE;
  g_mutex_lock(&lock);
  if (!delta) channel->key_wanted = FALSE; /* here it is */
  gboolean overdue = key_overdue(channel);
  for (GList *link = channel->subscribers; link; link = link->next) {
    Subscriber *subscriber = link->data;
    if (!plays(subscriber, channel, delta, overdue, &wanted)) continue;
    g_mutex_lock(&subscriber->lock);
    wanted |= offer(subscriber, item, delta, overdue);
    g_mutex_unlock(&subscriber->lock);
  }
  GstElement *publisher = wanted || channel->key_wanted ? key_due(channel) : NULL;
  g_mutex_unlock(&lock);
  ask(publisher);
}

/* ---- subscribers -------------------------------------------------------------------------------------------------- */

Subscriber *rostra_subscriber_new(void (*arrived)(gpointer), gpointer data) {
  Subscriber *subscriber = g_new0(Subscriber, 1);
  subscriber->told = arrived;
  subscriber->data = data;
  g_mutex_init(&subscriber->lock);
  g_cond_init(&subscriber->arrived);
  g_queue_init(&subscriber->queue);
  return subscriber;
}

void rostra_subscriber_free(Subscriber *subscriber) {
  rostra_subscriber_tune(subscriber, NULL);
  g_queue_clear_full(&subscriber->queue, item_free);
  g_mutex_clear(&subscriber->lock);
  g_cond_clear(&subscriber->arrived);
  g_free(subscriber);
}

/* With the table's lock held: what plays from now on, beginning with its next key frame. */
static void change(Subscriber *subscriber, Channel *channel) {
  if (subscriber->channel) leave(subscriber, subscriber->channel);
  subscriber->channel = channel;
  g_mutex_lock(&subscriber->lock);
  g_queue_clear_full(&subscriber->queue, item_free);
  subscriber->need_key = subscriber->discont = TRUE;
  g_mutex_unlock(&subscriber->lock);
}

void rostra_subscriber_tune(Subscriber *subscriber, const char *id) {
  GstElement *publisher = NULL;
  if (id && !*id) id = NULL;
  g_mutex_lock(&lock);
  Channel *wanted = subscriber->next ? subscriber->next : subscriber->channel;
  if (wanted && id && g_str_equal(wanted->id, id)) {
    g_mutex_unlock(&lock);
    return;
  }
  if (subscriber->next) leave(subscriber, g_steal_pointer(&subscriber->next));
  if (!id) {
    change(subscriber, NULL);
  } else if (!subscriber->channel || !g_str_equal(subscriber->channel->id, id)) {
    Channel *channel = channel_of(id);
    channel->subscribers = g_list_prepend(channel->subscribers, subscriber);
    subscriber_count++;
    publisher = key_due(channel);
    if (subscriber->channel && subscriber->channel->publisher) {
      subscriber->next = channel;
      subscriber->leaving = g_get_monotonic_time();
    } else {
      change(subscriber, channel);
    }
  }
  g_mutex_unlock(&lock);
  ask(publisher);
}

char *rostra_subscriber_playing(Subscriber *subscriber) {
  g_mutex_lock(&lock);
  char *id = subscriber->channel ? g_strdup(subscriber->channel->id) : NULL;
  g_mutex_unlock(&lock);
  return id;
}

static gboolean take(Subscriber *subscriber, ChannelItem *item, gboolean wait) {
  ChannelItem *taken = NULL;
  g_mutex_lock(&subscriber->lock);
  while (!subscriber->flushing && !(taken = g_queue_pop_head(&subscriber->queue)) && wait)
    g_cond_wait(&subscriber->arrived, &subscriber->lock);
  g_mutex_unlock(&subscriber->lock);
  if (!taken) return FALSE;
  *item = *taken;
  g_free(taken);
  return TRUE;
}

gboolean rostra_subscriber_pull(Subscriber *subscriber, ChannelItem *item) { return take(subscriber, item, TRUE); }

gboolean rostra_subscriber_take(Subscriber *subscriber, ChannelItem *item) { return take(subscriber, item, FALSE); }

void rostra_subscriber_flush(Subscriber *subscriber, gboolean flushing) {
  g_mutex_lock(&subscriber->lock);
  subscriber->flushing = flushing;
  g_cond_signal(&subscriber->arrived);
  g_mutex_unlock(&subscriber->lock);
}

gboolean rostra_channel_taken(const char *id) {
  g_mutex_lock(&lock);
  Channel *channel = channels ? g_hash_table_lookup(channels, id) : NULL;
  gboolean taken = channel && channel->subscribers;
  g_mutex_unlock(&lock);
  return taken;
}

void rostra_channels_state(RostraState *state) {
  g_mutex_lock(&lock);
  state->channels = channels ? (gint32)g_hash_table_size(channels) : 0;
  state->publishers = publisher_count;
  state->subscribers = subscriber_count;
  g_mutex_unlock(&lock);
}
