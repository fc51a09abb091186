// Names are in a balanced tree (tsearch), so that no choice of names makes it slow. Locks are taken
// in the order hub, topic, queue.
//
// References are counted without the lock but for the first and the last one: nobody can find a
// name and take a reference while the last one is given back.
#include "io/hub.h"

#include <search.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/hub_queue.h"

enum { SHARE_OF_SUBSCRIBER = 8, IS_CHANNEL = 'c', IS_TOPIC = 't' };

struct name {
  struct pl_hub *hub;
  size_t bytes;  // taken from the budget
  char kind;
  struct pl_strv text;
};

struct channel {
  struct pl_hub_queue queue;
  struct name name;
  bool is_nameless;  // under the hub's lock: another one has the name
  char text[];
};

struct pl_hub_topic {
  _Atomic unsigned refs;
  struct name name;
  uv_mutex_t mutex;
  struct pl_list subscriptions;  // guarded by mutex
  char text[];
};

struct subscription {
  struct pl_hub_queue queue;
  struct pl_list link;         // the topic's
  struct pl_hub_topic *topic;  // a reference
};

// ---- names ----

static int compare(const void *left, const void *right) {
  const struct name *a = left, *b = right;
  if (a->kind != b->kind) return a->kind - b->kind;
  if (a->text.len != b->text.len) return a->text.len < b->text.len ? -1 : 1;
  return memcmp(a->text.data, b->text.data, a->text.len);
}

static struct name *find(struct pl_hub *hub, char kind, struct pl_strv text) {
  struct name key = {.kind = kind, .text = text};
  struct name **found = tfind(&key, &hub->names, compare);
  return found ? *found : NULL;
}

// A block of `size` bytes with room for the name behind it, all zero.
static int new_named(struct pl_hub *hub, size_t size, struct pl_strv text, void **block) {
  if (!pl_hub_budget_take(&hub->budget, size + text.len)) return PL_ELIMIT;
  *block = pl_mem_zalloc(size + text.len);
  if (*block) return 0;
  pl_hub_budget_give(&hub->budget, size + text.len);
  return PL_ENOMEM;
}

static void free_named(const struct name *name, void *block) {
  pl_hub_budget_give(&name->hub->budget, name->bytes);
  pl_mem_free(block);
}

static void set_name(struct name *name, struct pl_hub *hub, size_t size, char kind,
                     struct pl_strv text, char *copy) {
  memcpy(copy, text.data, text.len);
  *name = (struct name){hub, size + text.len, kind, pl_strv(copy, text.len)};
}

static int add_name(struct name *name) {
  return tsearch(name, &name->hub->names, compare) ? 0 : PL_ENOMEM;
}

static void remove_name(struct name *name) {
  tdelete(name, &name->hub->names, compare);
}

// ---- channels ----

static size_t free_channel(struct channel *channel) {
  size_t letters = pl_hub_queue_deinit(&channel->queue);
  free_named(&channel->name, channel);
  return letters;
}

static void release_channel(struct pl_hub_queue *queue) {
  struct channel *channel = PL_CONTAINER_OF(queue, struct channel, queue);
  struct pl_hub *hub = channel->name.hub;
  uv_mutex_lock(&hub->mutex);
  bool is_last = atomic_fetch_sub_explicit(&queue->refs, 1, memory_order_acq_rel) == 1;
  bool is_over = is_last && (channel->is_nameless || pl_hub_queue_length(queue) == 0);
  if (is_over && !channel->is_nameless) remove_name(&channel->name);
  uv_mutex_unlock(&hub->mutex);
  if (is_over) free_channel(channel);
}

static int new_channel(struct pl_hub *hub, struct pl_strv text, size_t capacity,
                       struct channel **channel) {
  void *block;
  int error = new_named(hub, sizeof **channel, text, &block);
  if (error) return error;
  struct channel *made = block;
  set_name(&made->name, hub, sizeof *made, IS_CHANNEL, text, made->text);
  error = pl_hub_queue_init(&made->queue, capacity, release_channel);
  if (error) {
    free_named(&made->name, made);
    return error;
  }
  error = add_name(&made->name);
  if (error)
    free_channel(made);
  else
    *channel = made;
  return error;
}

// With the lock. The channel of that name that is not over, with another reference, or NULL.
static struct channel *reopen(struct pl_hub *hub, struct pl_strv text) {
  struct name *name = find(hub, IS_CHANNEL, text);
  if (!name) return NULL;
  struct channel *channel = PL_CONTAINER_OF(name, struct channel, name);
  if (!pl_hub_queue_is_at_end(&channel->queue)) {
    pl_hub_queue_ref(&channel->queue);
    return channel;
  }
  channel->is_nameless = true;
  remove_name(name);
  return NULL;
}

int pl_hub_open_channel(struct pl_hub *hub, struct pl_strv name, size_t capacity,
                        struct pl_hub_queue **queue) {
  int error = 0;
  uv_mutex_lock(&hub->mutex);
  struct channel *channel = reopen(hub, name);
  bool is_known = channel != NULL;
  if (!is_known) error = new_channel(hub, name, capacity ? capacity : PL_HUB_CAPACITY, &channel);
  uv_mutex_unlock(&hub->mutex);
  if (error) return error;
  if (is_known && capacity) pl_hub_queue_set_capacity(&channel->queue, capacity);
  *queue = &channel->queue;
  return 0;
}

// ---- topics ----

static void free_topic(struct pl_hub_topic *topic) {
  uv_mutex_destroy(&topic->mutex);
  free_named(&topic->name, topic);
}

static int new_topic(struct pl_hub *hub, struct pl_strv text, struct pl_hub_topic **topic) {
  void *block;
  int error = new_named(hub, sizeof **topic, text, &block);
  if (error) return error;
  struct pl_hub_topic *made = block;
  set_name(&made->name, hub, sizeof *made, IS_TOPIC, text, made->text);
  atomic_init(&made->refs, 1);
  pl_list_init(&made->subscriptions);
  error = uv_mutex_init(&made->mutex);
  if (error) {
    free_named(&made->name, made);
    return error;
  }
  error = add_name(&made->name);
  if (error)
    free_topic(made);
  else
    *topic = made;
  return error;
}

int pl_hub_open_topic(struct pl_hub *hub, struct pl_strv name, struct pl_hub_topic **topic) {
  int error = 0;
  uv_mutex_lock(&hub->mutex);
  struct name *found = find(hub, IS_TOPIC, name);
  if (found) {
    *topic = PL_CONTAINER_OF(found, struct pl_hub_topic, name);
    atomic_fetch_add_explicit(&(*topic)->refs, 1, memory_order_relaxed);
  } else {
    error = new_topic(hub, name, topic);
  }
  uv_mutex_unlock(&hub->mutex);
  return error;
}

void pl_hub_topic_unref(struct pl_hub_topic *topic) {
  if (pl_hub_give_ref(&topic->refs)) return;
  struct pl_hub *hub = topic->name.hub;
  uv_mutex_lock(&hub->mutex);
  bool is_last = atomic_fetch_sub_explicit(&topic->refs, 1, memory_order_acq_rel) == 1;
  if (is_last) remove_name(&topic->name);
  uv_mutex_unlock(&hub->mutex);
  if (is_last) free_topic(topic);
}

// ---- subscriptions ----

static void release_subscription(struct pl_hub_queue *queue) {
  struct subscription *s = PL_CONTAINER_OF(queue, struct subscription, queue);
  struct pl_hub_topic *topic = s->topic;
  pl_hub_unsubscribe(queue);
  pl_hub_queue_deinit(queue);
  pl_hub_budget_give(&topic->name.hub->budget, sizeof *s);
  pl_mem_free(s);
  pl_hub_topic_unref(topic);
}

int pl_hub_subscribe(struct pl_hub_topic *topic, size_t capacity, struct pl_hub_queue **queue) {
  struct pl_hub_budget *budget = &topic->name.hub->budget;
  if (!pl_hub_budget_take(budget, sizeof(struct subscription))) return PL_ELIMIT;
  struct subscription *s = pl_mem_zalloc(sizeof *s);
  int error = s ? pl_hub_queue_init(&s->queue, capacity, release_subscription) : PL_ENOMEM;
  if (error) {
    pl_hub_budget_give(budget, sizeof *s);
    pl_mem_free(s);
    return error;
  }
  s->queue.drops_oldest = true;
  s->queue.bytes_max = budget->limit / SHARE_OF_SUBSCRIBER;
  s->topic = topic;
  atomic_fetch_add_explicit(&topic->refs, 1, memory_order_relaxed);
  uv_mutex_lock(&topic->mutex);
  pl_list_push_back(&topic->subscriptions, &s->link);
  uv_mutex_unlock(&topic->mutex);
  *queue = &s->queue;
  return 0;
}

void pl_hub_unsubscribe(struct pl_hub_queue *queue) {
  struct subscription *s = PL_CONTAINER_OF(queue, struct subscription, queue);
  uv_mutex_lock(&s->topic->mutex);
  pl_list_remove(&s->link);
  uv_mutex_unlock(&s->topic->mutex);
  pl_hub_queue_close(queue, true);
}

// Nobody unsubscribes meanwhile, so every queue stays.
size_t pl_hub_publish(struct pl_hub_topic *topic, struct pl_cell *cell) {
  struct pl_list over;
  size_t count = 0;
  pl_list_init(&over);
  uv_mutex_lock(&topic->mutex);
  struct pl_list *link = topic->subscriptions.next;
  for (; link != &topic->subscriptions; link = link->next, count++) {
    struct subscription *s = PL_CONTAINER_OF(link, struct subscription, link);
    struct pl_letter *letter = pl_letter_new(pl_cell_ref(cell));
    if (!letter) {
      pl_cell_unref(cell);
      pl_hub_queue_lose(&s->queue);
    } else if (pl_hub_queue_send_quietly(&s->queue, letter, NULL, &over)) {
      pl_letter_free(letter);
    }
  }
  uv_mutex_unlock(&topic->mutex);
  pl_hub_tell(&over);
  return count;
}

// ---- the hub ----

int pl_hub_init(struct pl_hub *hub, size_t limit) {
  *hub = (struct pl_hub){.budget = {.limit = limit}};
  return uv_mutex_init(&hub->mutex);
}

// Only channels with letters are left: all other names went with their last reference.
size_t pl_hub_deinit(struct pl_hub *hub) {
  size_t letters = 0;
  while (hub->names) {
    struct channel *channel = PL_CONTAINER_OF(*(struct name **)hub->names, struct channel, name);
    remove_name(&channel->name);
    letters += free_channel(channel);
  }
  uv_mutex_destroy(&hub->mutex);
  return letters;
}
